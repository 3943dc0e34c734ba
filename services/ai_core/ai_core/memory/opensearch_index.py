"""The index of the memory: made once under a version's name, and reached by an alias.

What cannot be changed in place (a field's type, the number of shards) takes an index of the next version, filled from
the words of this one, and then the alias moved to it.
"""

from http import HTTPStatus

from chassis.logs import log

from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.opensearch_client import Json, OpenSearchClient

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
    """Make the index where there is none, and add the fields that are new; nothing is ever removed.

    Safe to run again, and at the same time: of two who make the index one is told that it exists.

    Raises:
        StoreUnavailable: OpenSearch does not answer.
        Refused: a field that exists has another type.
    """
    status, _ = await client.call("GET", f"/_alias/{ALIAS}", also=(HTTPStatus.NOT_FOUND,))
    if status == HTTPStatus.NOT_FOUND:
        index: Json = {"settings": {"index": SETTINGS}, "mappings": MAPPINGS, "aliases": {ALIAS: {}}}
        await client.call("PUT", f"/{INDEX}", index, also=(HTTPStatus.BAD_REQUEST,))
    # Whoever made it. Refused where there is still none: the 400 above then had another reason.
    await client.call("PUT", f"/{ALIAS}/_mapping", MAPPINGS)
    log("memory.index_ready")
