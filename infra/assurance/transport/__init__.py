"""How what is reached is spoken to, how what is kept is encrypted, and how safely things are set up."""
