"""The index of the memory: made once under a version's name, and reached by an alias.

What cannot be changed in place (a field's type, the number of shards) takes an index of the next version: the number in
``INDEX`` goes up, and ``prepare`` fills it and moves the alias (``opensearch_switch``). The version before still runs
meanwhile and for a while after: what it writes must fit into the new index.
"""

from http import HTTPStatus

from chassis.logs import log

from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.opensearch_client import Json, OpenSearchClient, Refused, StoreUnavailable
from ai_core.memory.opensearch_names import change_aliases, in_use, version_of, versions
from ai_core.memory.opensearch_switch import give_up, switch

ALIAS = "memories"
INDEX = f"{ALIAS}-v2"

MAPPINGS: Json = {
    "dynamic": "strict",
    # What is large is read out of columns, which costs a quarter of what the text of a document does.
    "_source": {"excludes": ["content", "vector", "embedding"]},
    # A document without its person's routing would be on a shard where nobody looks.
    "_routing": {"required": True},
    "properties": {
        "user_id": {"type": "keyword"},
        "memory_id": {"type": "keyword"},
        "conversation_id": {"type": "keyword"},
        "message_id": {"type": "keyword", "index": False},
        "sender": {"type": "keyword", "index": False},
        # Microseconds since 1970, exact for every time; ``date`` has milliseconds, ``date_nanos`` only 1970 to 2262.
        "created_at": {"type": "long"},
        # Cells.
        "content": {"type": "binary", "doc_values": True},
        "vector": {"type": "binary", "doc_values": True},
        # The vector in the clear, where the store is to compare. Without `index.knn` there is no graph, only the
        # numbers: a search compares with all of one person's.
        "embedding": {"type": "knn_vector", "dimension": DIMENSIONS},
        # In a person's tombstone: the ids of what was forgotten.
        "forgotten": {"type": "keyword"},
        # In what is left in the place of a memory that was forgotten by itself, and nothing else: the person's id.
        "forgotten_of": {"type": "keyword"},
    },
}
SETTINGS: Json = {
    "number_of_shards": 3,
    "auto_expand_replicas": "0-1",  # a copy wherever there is a second node
    "refresh_interval": "1s",
    # A person's documents side by side: all of them are read at once.
    "sort.field": "user_id",
    "sort.order": "asc",
}


async def prepare(client: OpenSearchClient) -> None:
    """Make the index where there is none, add the fields that are new, and move to it from an earlier version's.

    Nothing is ever removed, and the index of a later version is left alone. Safe to run again, and at the same time.

    Raises:
        StoreUnavailable: OpenSearch does not answer.
        Refused: a field that exists has another type, or a document does not fit.
    """
    used = await in_use(client, ALIAS)
    if used is None:
        index: Json = {**_description(), "aliases": {ALIAS: {}}}
        await client.call("PUT", f"/{INDEX}", index, also=(HTTPStatus.BAD_REQUEST,))
        used = await in_use(client, ALIAS)  # whoever made it
    if used is None:
        raise Refused("the index can neither be made nor used")
    if version_of(used) > version_of(INDEX):
        log("memory.index_is_later", version=version_of(used))
        return
    if used == INDEX:
        await give_up(client, ALIAS, INDEX)
    else:
        await switch(client, ALIAS, used, INDEX, _description())
    await client.call("PUT", f"/{INDEX}/_mapping", MAPPINGS)
    log("memory.index_ready", version=version_of(INDEX))


async def drop_old(client: OpenSearchClient) -> int:
    """Delete the indices of versions before the one in use; how many. Nothing is deleted where none is in use.

    Raises:
        StoreUnavailable: OpenSearch does not answer, or another index came into use just now.
    """
    used = await in_use(client, ALIAS)
    if used is None:
        raise Refused("no index is in use")
    old = [name for name, version in (await versions(client, ALIAS)).items() if version < version_of(used)]
    if old:
        # All or nothing, and on the condition that the one in use still is: nothing is deleted that came into use.
        still: list[Json] = [{"remove": {"index": used, "alias": ALIAS, "must_exist": True}}]
        still += [{"add": {"index": used, "alias": ALIAS}}]
        if not await change_aliases(client, [*still, *({"remove_index": {"index": name}} for name in old)]):
            raise StoreUnavailable
    log("memory.old_indices_dropped", indices=len(old), in_use=version_of(used))
    return len(old)


def _description() -> Json:
    return {"settings": {"index": SETTINGS}, "mappings": MAPPINGS}
