"""What people and personas say, as cells: sealed with the person's key for this message and nowhere else readable.

Only repositories and the outbox call this. Messages of before there were keys are plain and are sealed in place
(``backend.messages.sealing``). They are read only while the database still admits them: afterwards whoever can write
to it could put words into anybody's mouth that no key was needed for.
"""

import asyncio
from uuid import UUID

from chassis.direct import Built, Direct
from chassis.logs import log
from chassis.sealing.cells import CannotOpen, Field, PersonKey
from sqlalchemy import bindparam, text

from backend.keys.person_keys import PersonKeys
from backend.schema import IS_SEALED, SEALED_CHECK

CONTENT = Field("messages", "content")
_PLAIN = b"\x00"
_ADMITS_SEALED_ONLY = Built(text(IS_SEALED).bindparams(bindparam("name", SEALED_CHECK)))


class Words:
    """One person's.

    Args:
        user_id: Whose.
        key: Theirs, for messages.
        plain_too: Whether the database still admits plain messages.
    """

    __slots__ = ("_key", "_plain_too", "user_id")

    def __init__(self, user_id: UUID, key: PersonKey, *, plain_too: bool) -> None:
        self.user_id = user_id
        self._key = key
        self._plain_too = plain_too

    def seal(self, message_id: UUID, content: str) -> bytes:
        """The cell of a message."""
        return self._key.seal(CONTENT, message_id, content.encode())

    def open(self, message_id: UUID, stored: bytes) -> str:
        """The words of a message.

        Raises:
            CannotOpen: this is not what was stored for this message of this person.
        """
        if self._plain_too and stored[:1] == _PLAIN:
            return stored[1:].decode()
        try:
            return self._key.open(CONTENT, message_id, stored).decode()
        except CannotOpen:
            log("message.cannot_be_opened", "error", user_id=self.user_id, message_id=message_id)
            raise


class Sealing:
    """Gives out people's ``Words``; one for each process.

    Args:
        direct: The database.
        keys: People's keys.
    """

    def __init__(self, direct: Direct, keys: PersonKeys) -> None:
        self._direct = direct
        self.keys = keys
        self._plain_too: bool | None = None
        self._learning = asyncio.Lock()

    async def of(self, user_id: UUID) -> Words:
        """This person's; not to be called within a transaction.

        Raises:
            NoKeys: there is no such person any more.
            CannotUnwrap: the key that is stored for them is not theirs.
            ConnectionError: the key cannot be had now.
        """
        key = await self.keys.messages(user_id)
        if self._plain_too is None:
            await self.learn()
        return Words(user_id, key, plain_too=bool(self._plain_too))

    async def learn(self) -> bool:
        """Whether the database still admits plain messages. Once it does not, it never does again."""
        async with self._learning:
            if self._plain_too is not False:
                (found,) = await self._direct.rows(_ADMITS_SEALED_ONLY) or (None,)
                self._plain_too = not (found and found.convalidated)
            return self._plain_too
