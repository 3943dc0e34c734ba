"""Messages and the replies to them."""
