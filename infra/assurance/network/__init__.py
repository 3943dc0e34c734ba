"""Who can open a connection to whom: interfaces, their security groups, subnets and routes."""
