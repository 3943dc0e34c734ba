"""New versions take the place of old ones behind a load balancer, under load, and nobody notices."""
