"""OpenSearch itself beside a running Sanctum: what somebody who has the machine stores in it and reads of it."""

import asyncio
import base64
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from ai_core.memory.embedder import Embedder, Embedding, load_tokenizer
from ai_core.memory.records import CONTENT, VECTOR
from ai_core.memory.vectors import pack
from chassis.sealing.cells import CannotOpen, PersonKey

from tests.erasure.opened import keys_in, opened
from tests.support.inside import server_of


def server(state: Path) -> httpx.Client:
    """OpenSearch itself, as whoever has the machine reaches it."""
    lines = (state / "opensearch/opensearch.yml").read_text().splitlines()
    port = next(line.split()[1] for line in lines if line.startswith("http.port"))
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)


def call(server: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = server.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()


def vectors_of(*texts: str) -> list[Embedding]:
    embedder = Embedder(load_tokenizer())
    try:
        return asyncio.run(embedder.embed(texts))
    finally:
        embedder.close()


def plant_in(server: httpx.Client, control: str, embedding: Embedding) -> None:
    """Store ``control`` plainly in each encoding, as a memory of somebody's would stand there without sealing."""
    raw = control.encode()
    for form in (raw, raw.hex().encode(), base64.b64encode(raw)):
        user, memory = str(uuid4()), str(uuid4())
        document = {
            **dict.fromkeys(("user_id",), user),
            **dict.fromkeys(("memory_id", "conversation_id", "message_id"), memory),
            "sender": "user",
            "created_at": 0,
            "content": base64.b64encode(b"\0" + form).decode(),
            "vector": base64.b64encode(pack(embedding)).decode(),
            "embedding": embedding.tolist(),
        }
        call(server, "PUT", f"/memories/_doc/{memory}?routing={user}", document)


def stored_vectors(server: httpx.Client, state: Path) -> dict[str, bytes]:
    """The vectors of all memories that can be opened, by their words: what is stored is what is searched for."""
    keys = opened(keys_in(server_of(state), "users"), state)["memories"]
    fields = ["user_id", "memory_id", "content", "vector"]
    hits = call(server, "GET", "/memories/_search?size=1000", {"docvalue_fields": fields})["hits"]["hits"]
    stored: dict[str, bytes] = {}
    for one in (hit["fields"] for hit in hits if "content" in hit["fields"]):
        content, vector = (base64.b64decode(one[name][0] + "==") for name in ("content", "vector"))
        for key in (PersonKey(UUID(one["user_id"][0]), key) for key in keys):
            try:
                words = key.open(CONTENT, UUID(one["memory_id"][0]), content).decode()
            except CannotOpen:
                continue
            stored[words] = key.open(VECTOR, UUID(one["memory_id"][0]), vector)
    return stored
