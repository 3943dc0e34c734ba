"""What a person at the keyboard is told when something cannot go on."""


class Failure(Exception):
    """One sentence: what is wrong, and what to do about it. Shown without a traceback."""
