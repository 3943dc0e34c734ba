"""Which sign-ins were just seen to live, so that somebody who asks much does not have the database asked each time."""

import time
from uuid import UUID

REMEMBERED_SECONDS = 0.5
"""A token ends within a second of its sign-in, also in processes that have no part in ending it."""
MOST = 10_000


class Living:
    """The sign-ins that lived when the database was last asked, no longer than ``REMEMBERED_SECONDS`` ago."""

    def __init__(self) -> None:
        self._asked: dict[UUID, float] = {}

    def knows(self, sign_in_id: UUID) -> bool:
        """Whether this one was just seen to live."""
        asked = self._asked.get(sign_in_id)
        return asked is not None and time.monotonic() - asked < REMEMBERED_SECONDS

    def lived(self, sign_in_id: UUID, asked: float) -> None:
        """It lived when the database was ``asked``, by ``time.monotonic()``."""
        if len(self._asked) >= MOST:
            self._asked.clear()
        self._asked[sign_in_id] = asked

    def forget(self) -> None:
        """One has ended: what this process ends is ended at once."""
        self._asked.clear()
