"""How a person's words are kept: under a data key of their own, which only a key service can unwrap.

Each service uses these parts in its own way; none of them knows of a database.
"""
