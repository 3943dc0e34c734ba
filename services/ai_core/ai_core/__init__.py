"""The AI core: personas, memory, and replies from a language model. Only the backend calls it."""
