"""The indices of one alias: which one is in use, who may fill the next, and which of them may be written.

The next index has exactly one more alias until the first alias is moved to it. Whoever replaces that by one of their
own may fill it, and nobody who held an earlier one can write any more: OpenSearch checks and replaces at once.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from uuid import uuid4

from pydantic import BaseModel, Field, TypeAdapter

from ai_core.memory.opensearch_client import Json, OpenSearchClient, Refused

_ALREADY = HTTPStatus.BAD_REQUEST
_FILLING = "-filling-"
_NOBODY = "nobody"


class _Index(BaseModel):
    aliases: dict[str, object] = {}
    settings: dict[str, str] = Field(default={})


_INDICES = TypeAdapter(dict[str, _Index])


async def in_use(client: OpenSearchClient, alias: str) -> str | None:
    """The index that ``alias`` names, if any.

    Raises:
        StoreUnavailable: OpenSearch does not answer.
        Refused: it names several.
    """
    status, answer = await client.call("GET", f"/_alias/{alias}", also=(HTTPStatus.NOT_FOUND,))
    if status == HTTPStatus.NOT_FOUND:
        return None
    names = [*_INDICES.validate_json(answer)]
    if len(names) > 1:
        raise Refused(f"{alias} names several indices")
    return names[0]


async def versions(client: OpenSearchClient, alias: str) -> dict[str, int]:
    """All indices of ``alias`` that there are, each with its version."""
    _, answer = await client.call("GET", f"/{alias}-v*/_alias")
    return {name: version_of(name) for name in _INDICES.validate_json(answer)}


def version_of(index: str) -> int:
    """The version in an index's name.

    Raises:
        ValueError: there is none.
    """
    found = re.fullmatch(r".+-v(\d+)", index)
    if not found:
        raise ValueError("the name of an index has no version")
    return int(found[1])


async def make(client: OpenSearchClient, index: str, description: Json) -> None:
    """Make an index that waits to be filled; one that exists stays as it is."""
    aliases: Json = {f"{index}{_FILLING}{_NOBODY}": {}}
    await client.call("PUT", f"/{index}", {**description, "aliases": aliases}, also=(_ALREADY,))


class Filling:
    """The right to fill ``index``.

    Args:
        client: Reaches it.
        index: Made by ``make``.
        whose: A name that no other run has.
    """

    def __init__(self, client: OpenSearchClient, index: str, whose: str) -> None:
        self._client = client
        self._index = index
        self._whose = whose

    @property
    def alias(self) -> str:
        """What to write to: there as long as the right lasts."""
        return f"{self._index}{_FILLING}{self._whose}"

    @property
    def fresh(self) -> bool:
        """Whether nobody ever had it."""
        return self._whose == _NOBODY

    async def taken(self) -> "Filling | None":
        """The right, taken from whoever has it: ``None`` where it is not theirs any more."""
        mine = Filling(self._client, self._index, uuid4().hex)
        if await self.change({"add": {"index": self._index, "alias": mine.alias}}):
            return mine
        # The answer to a first attempt may have been lost.
        now = await filling(self._client, self._index)
        return mine if now and now.alias == mine.alias else None

    async def change(self, *actions: Json) -> bool:
        """Give the right up and change aliases, all at once; whether it still was there, or else nothing is done."""
        gone = {"remove": {"index": self._index, "alias": self.alias, "must_exist": True}}
        return await change_aliases(self._client, [gone, *actions])


async def filling(client: OpenSearchClient, index: str) -> Filling | None:
    """Whose it is now to fill ``index``: nobody's where it is in use, or there is none."""
    status, answer = await client.call("GET", f"/{index}/_alias", also=(HTTPStatus.NOT_FOUND,))
    if status == HTTPStatus.NOT_FOUND:
        return None
    owners = [alias.partition(_FILLING)[2] for alias in _INDICES.validate_json(answer)[index].aliases]
    return next((Filling(client, index, whose) for whose in owners if whose), None)


async def change_aliases(client: OpenSearchClient, actions: Sequence[Json]) -> bool:
    """Do all of ``actions`` at once, or none of them: where one removes an alias that is not there."""
    status, _ = await client.call("POST", "/_aliases", {"actions": actions}, also=(HTTPStatus.NOT_FOUND,))
    return status != HTTPStatus.NOT_FOUND


async def blocked(client: OpenSearchClient, index: str) -> bool:
    """Whether nothing may be written to ``index``."""
    _, answer = await client.call("GET", f"/{index}/_settings?flat_settings=true")
    settings: Mapping[str, str] = _INDICES.validate_json(answer)[index].settings
    return settings.get("index.blocks.write") == "true"


async def block(client: OpenSearchClient, index: str) -> None:
    """Let nothing be written to ``index`` any more; returns when all that was let in before is there."""
    await client.call("PUT", f"/{index}/_block/write")


async def unblock(client: OpenSearchClient, index: str) -> None:
    """Let writes in again."""
    await client.call("PUT", f"/{index}/_settings", {"index": {"blocks.write": None}})
