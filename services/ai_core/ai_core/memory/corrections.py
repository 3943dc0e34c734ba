"""What in a person's words says that they take back, or that there has been a change to, something said earlier.

English words, and no understanding: a correction without any of them ("the 14th, then") is not seen, and a sentence may
hold one by chance. So they count only beside an earlier passage that is alike (see ``ranking``).
"""

import re
from functools import cached_property

_NUMBER_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_NAMES = frozenset([*_NUMBER_WORDS.split("|"), *_MONTHS.split("|"), *_DAYS.split("|")])
_NUMBER = r"\d+(?:[.,:]\d+)*"
_ONE_VALUE = rf"(?:{_NUMBER}|\b(?:{_NUMBER_WORDS}|{_MONTHS}|{_DAYS})\b)"
_NUMBERS = re.compile(_NUMBER)
_DENIALS = (
    "n't ",
    " no",
    " neither ",
    "instead of ",
    "rather than ",
    " forget ",
    " i said ",
    " i wrote ",
    " i told you ",
)
_DENIAL = re.compile(r"n't | (?:not|no|neither|nor|instead of|rather than|forget|i said|i wrote|i told you) ")
_DENIED = re.compile(
    r"(?:\w+\s+)??(?:(?:on|the|at|by|in|of|from|until|till|for|be|half)\s+)*"
    rf"({_ONE_VALUE}(?:st|nd|rd|th)?(?:(?:\s+of)?\s+{_ONE_VALUE})?)"
)
"""What comes after a denial."""
_WORDS = re.compile(r"[^\W\d_]{3,}")
_NAME_WITHIN = re.compile(r"(?<=[\w,;:)] )[^\W\d_a-z]\w{2,}")
_LONG = 4
_MOST_WORDS = 2 / 3
_COMMON = frozenset((
    "about", "after", "also", "always", "been", "before", "being", "could", "does", "even", "ever", "every", "from",
    "have", "here", "into", "just", "like", "many", "more", "most", "much", "must", "never", "only", "other", "over",
    "said", "same", "says", "should", "some", "still", "than", "that", "their", "them", "then", "there", "they", "this",
    "very", "want", "week", "were", "what", "when", "where", "which", "while", "will", "with", "would", "year", "years",
    "your",
))  # fmt: skip

_MISTAKES = (
    "correction", "correct myself", "corrected me", "mistake", "misread", "mistyped", "misspoke", "misheard", "wrong",
    "mixed up", "mixed it up", "confused", "take that back", "no wait", "no, wait", "wait, no", "scratch that",
    "i meant", "i told you", "should have been", "to fix that",
)  # fmt: skip
_CHANGES = (
    "moved", "postponed", "put back", "brought forward", "rescheduled", "delayed", "extended", "shifted", "changed",
    "new date", "no longer", "any more", "anymore", "instead", "rather than", "turns out", "after all", "actually",
)  # fmt: skip


class Words:
    """The words of a passage, looked at for what is asked of them only: most are never."""

    def __init__(self, content: str) -> None:
        self._content = content
        self.plain = " " + content.lower().replace("’", "'") + " "
        """In small letters, with one kind of apostrophe and a space at both ends."""

    @cached_property
    def mistake(self) -> bool:
        """They say that something said earlier was wrong."""
        return self._have(_MISTAKES)

    @cached_property
    def change(self) -> bool:
        """They say that something said earlier may no longer be so."""
        return self._have(_CHANGES)

    @cached_property
    def values(self) -> frozenset[str]:
        """The numbers, months and weekdays in them."""
        return frozenset(_NUMBERS.findall(self.plain)) | (self._words & _NAMES)

    @cached_property
    def topics(self) -> frozenset[str]:
        """Those that may say what the passage is about."""
        return frozenset(word for word in self._words - _COMMON - _NAMES if len(word) >= _LONG)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(_WORDS.findall(self.plain))

    def denied(self) -> list[frozenset[str]]:
        """Numbers, months and weekdays of which they say that they are *not* so, those of one phrase together."""
        if not self._have(_DENIALS):  # most do not, and this is quicker than the pattern
            return []
        follow = (_DENIED.match(self.plain, denial.end()) for denial in _DENIAL.finditer(self.plain))
        return [Words(match[1]).values for match in follow if match]

    @cached_property
    def names(self) -> frozenset[str]:
        """Those with a capital within a sentence."""
        return frozenset(name.lower() for name in _NAME_WITHIN.findall(self._content))

    def keep(self, earlier: "Words") -> bool:
        """Whether they say all that ``earlier`` says, as far as can be seen: no value, no name and few words less."""
        if not (earlier.values <= self.values and earlier.names <= self._words):
            return False
        return len(earlier.topics & self.topics) >= _MOST_WORDS * len(earlier.topics)

    def take_back(self, denied: list[frozenset[str]], earlier: "Words", *, same_statement: bool) -> bool:
        """Whether ``earlier`` has one of the values ``denied`` by these words, and is about the same."""
        # A value is a part of the text: to look for that costs far less than to find all values.
        has_one = any(all(value in earlier.plain for value in phrase) and phrase <= earlier.values for phrase in denied)
        return has_one and (same_statement or not self.topics.isdisjoint(earlier.topics))

    def corrects_value(self, earlier: "Words") -> bool:
        """Whether they say that something was wrong, and that may be a number or a day."""
        return self.mistake and bool(self.values) and bool(earlier.values)

    def _have(self, phrases: tuple[str, ...]) -> bool:
        return any(phrase in self.plain for phrase in phrases)
