"""What the proof says when it cannot know: a refusal names what and where, and nothing is skipped."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType


class Refused(Exception):
    """Something could not be read, resolved or modelled.

    `where` names the resource (or file) as claims would, `template` the file it stands in.
    """

    def __init__(self, what: str, *, where: str, template: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.template = template

    def __str__(self) -> str:
        """One line for people: where, what, and the file."""
        return f"{self.where}: {self.what}" + (f" ({self.template})" if self.template else "")


class Refusals:
    """All that was refused in one reading, each once, in the order it was met."""

    def __init__(self) -> None:
        self._seen: dict[str, Refused] = {}
        self._collecting = _Collecting(self)

    def __iter__(self) -> Iterator[Refused]:
        """The refusals, first met first."""
        return iter(self._seen.values())

    def __len__(self) -> int:
        """How many."""
        return len(self._seen)

    def add(self, refused: Refused) -> None:
        """Remember one."""
        self._seen.setdefault(str(refused), refused)

    def collected(self) -> AbstractContextManager[None, bool]:
        """Remember what the block refuses and go on behind it, so that one reading names everything."""
        return self._collecting


class _Collecting(AbstractContextManager[None, bool]):
    """Holds nothing of a block, so that one is enough: a reading enters ten thousand blocks."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if isinstance(error, Refused):
            self._refusals.add(error)
            return True
        return False
