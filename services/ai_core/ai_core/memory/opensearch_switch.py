"""An alias moved from an index to the next version of it, while people search, remember and forget.

The next index is filled beside the one in use until hardly anything is missing. Then the old one takes no writes for
as long as one more look at both takes; whoever writes meanwhile is told to try again, and does. The alias is moved in
one step, with the right to fill the next index as the condition. The old index keeps its block: nothing that was meant
for it can be lost there.

Whatever fails before leaves the old index in use. A run that was killed may leave the block; the next run, also one of
the version before, goes on or removes it.
"""

import asyncio
import time
from contextlib import suppress

from chassis.logs import log

from ai_core.memory.opensearch_client import ATTEMPT_SECONDS, Json, OpenSearchClient, StoreUnavailable
from ai_core.memory.opensearch_copy import Copy
from ai_core.memory.opensearch_names import (
    Filling,
    block,
    blocked,
    filling,
    in_use,
    make,
    unblock,
    version_of,
    versions,
)

FEW = 500
"""Documents that change during a look, below which the next look is the last one."""
MOST_LOOKS = 10
SETTLE_SECONDS = ATTEMPT_SECONDS + 5
"""How long a request of a run whose right was taken may still be on its way."""
WAIT_SECONDS = 3600
"""For another run that took the right to fill the index."""
_LOOK_SECONDS = 1


class _Overtaken(Exception):
    """Another run fills the index."""


async def switch(client: OpenSearchClient, alias: str, old: str, new: str, description: Json) -> None:
    """Make ``new``, fill it from ``old``, and move ``alias`` to it.

    Raises:
        StoreUnavailable: OpenSearch does not answer, or another run that took over does not come to its end.
        Refused: a document does not fit into ``new``.
    """
    await make(client, new, description)
    await client.call("PUT", f"/{new}/_mapping", description["mappings"])
    try:
        await _Switch(client, alias, old, new).run()
    except _Overtaken:
        await _wait(client, alias, new)


async def give_up(client: OpenSearchClient, alias: str, index: str) -> None:
    """Where a move away from ``index`` was broken off, let it be written again; a move that still runs fails."""
    if not await blocked(client, index):
        return
    for name, version in (await versions(client, alias)).items():
        held = await filling(client, name) if version > version_of(index) else None
        if held and not await held.taken():
            raise StoreUnavailable  # somebody is at it just now
    if await in_use(client, alias) == index:
        await unblock(client, index)
        log("memory.index_move_given_up", version=version_of(index))


class _Switch:
    def __init__(self, client: OpenSearchClient, alias: str, old: str, new: str) -> None:
        self._client = client
        self._alias = alias
        self._old = old
        self._new = new

    async def run(self) -> None:
        held = await self._take()
        try:
            await self._move(held)
        except BaseException as error:
            # Nobody's from now on. Where it was another's already, so is the block.
            if await held.taken():
                await unblock(self._client, self._old)
            elif isinstance(error, Exception):
                raise _Overtaken from error
            raise

    async def _take(self) -> Filling:
        """The right to fill, once requests of whoever had it before cannot come any more."""
        held = await filling(self._client, self._new)
        mine = await held.taken() if held else None
        if not held or not mine:
            raise _Overtaken
        if not held.fresh or await blocked(self._client, self._old):
            await asyncio.sleep(SETTLE_SECONDS)
        return mine

    async def _move(self, held: Filling) -> None:
        copy = Copy(self._client, old=self._old, new=self._new, writable=held.alias)
        for _ in range(MOST_LOOKS):
            if await copy.run(gently=True) < FEW:
                break
        begun = time.monotonic()
        await block(self._client, self._old)
        await copy.run(gently=False)
        if not await copy.same_count():
            raise StoreUnavailable
        leave: Json = {"remove": {"index": self._old, "alias": self._alias, "must_exist": True}}
        if not await held.change(leave, {"add": {"index": self._new, "alias": self._alias}}):
            raise _Overtaken  # or the answer to a first attempt was lost
        log("memory.index_moved", version=version_of(self._new), blocked_seconds=round(time.monotonic() - begun, 3))


async def _wait(client: OpenSearchClient, alias: str, new: str) -> None:
    log("memory.index_filled_by_another_run", version=version_of(new))
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with suppress(StoreUnavailable):
            if await in_use(client, alias) == new:
                return
        await asyncio.sleep(_LOOK_SECONDS)
    raise StoreUnavailable
