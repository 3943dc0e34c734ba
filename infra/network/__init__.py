"""The network: addresses, who may talk to whom, and the ways to the services of AWS."""
