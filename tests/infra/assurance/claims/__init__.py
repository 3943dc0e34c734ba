"""Claims: how they are written, and when they hold."""
