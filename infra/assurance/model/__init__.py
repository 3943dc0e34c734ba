"""What is deployed, as one model: assemblies read, functions computed, names resolved."""
