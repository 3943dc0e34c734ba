"""The network in other forms than those that are shipped."""
