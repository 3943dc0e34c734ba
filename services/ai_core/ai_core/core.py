"""What the routes work with, opened at start and closed at the end."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chassis.sealing.key_service import key_service
from chassis.settings import read_settings
from tokenizers import Tokenizer

from ai_core.memory.embedder import Embedder, load_tokenizer
from ai_core.memory.keys import MemoryKeys
from ai_core.memory.memories import Memories
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import open_client
from ai_core.memory.store import MemoryStore
from ai_core.models.limits import LimitedModel
from ai_core.models.openai import OpenAIModel
from ai_core.models.protocol import LanguageModel
from ai_core.settings import DatabaseSettings, MemorySettings, ModelSettings, Settings
from ai_core.tokens import TokenCounter


@dataclass(frozen=True)
class Core:
    """What is remembered, people's keys to it, the language model, and the tokens of a prompt."""

    memories: Memories
    keys: MemoryKeys
    tokenizer: Tokenizer
    tokens: TokenCounter
    model: LanguageModel
    prompt_tokens: int


@asynccontextmanager
async def open_core(settings: Settings, store: MemoryStore) -> AsyncGenerator[Core]:
    """Everything that ``settings`` name, until the end of the block; ``store`` is closed then."""
    tokenizer = load_tokenizer()
    embedder = Embedder(tokenizer)
    memories = Memories(store, embedder, search=settings.memory_search, most=settings.memories_per_person)
    keys = MemoryKeys(key_service(settings.key_service))
    model = LimitedModel(
        _model(settings), timeout_seconds=settings.model_timeout_seconds, concurrency=settings.model_concurrency
    )
    try:
        prompt_tokens = settings.model_context_tokens - settings.model_reply_tokens
        yield Core(memories, keys, tokenizer, TokenCounter(tokenizer), model, prompt_tokens)
    finally:
        await model.close()
        await memories.close()
        keys.close()
        embedder.close()


def memory_store(settings: MemorySettings) -> MemoryStore:
    """The store that ``settings`` name; connects when it is first asked.

    Raises:
        SystemExit: a variable of it is missing or wrong, or there are no credentials for it.
    """
    if settings.memory_store == "opensearch":
        return OpenSearchStore(open_client(settings))
    from ai_core.memory.pgvector import PgvectorStore  # noqa: PLC0415 - brings SQLAlchemy, which the cloud never needs

    return PgvectorStore(read_settings(DatabaseSettings))


def _model(settings: ModelSettings) -> LanguageModel:
    if settings.model_provider != "bedrock":
        return OpenAIModel(settings)
    from ai_core.models.bedrock import BedrockModel  # noqa: PLC0415 - brings botocore, which one machine never needs

    return BedrockModel(settings)
