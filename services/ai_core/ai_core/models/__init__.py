"""Language models that write the replies."""
