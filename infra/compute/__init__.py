"""What runs: the two services, their one-off tasks, and the ways in to them."""
