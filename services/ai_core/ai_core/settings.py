"""What the AI core reads from its environment; ``service.toml`` beside the package lists the same variables."""

from pathlib import Path
from typing import Literal, Self

from chassis.settings import DatabaseSettings, ServiceSettings
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["DatabaseSettings", "MemorySettings", "ModelSettings", "PrepareMemorySettings", "Settings"]

_ENCRYPTED = r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])"


class MemorySettings(BaseSettings):
    """Which memory store there is; ``pgvector`` has the variables of ``DatabaseSettings`` beside these."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    memory_store: Literal["pgvector", "opensearch"]
    memory_url: str | None = Field(default=None, pattern="^https://")
    """Address of OpenSearch, without a path."""
    memory_auth: Literal["sigv4", "mtls"] | None = None
    """How OpenSearch knows the AI core: by requests that are signed, or by a client certificate."""
    memory_ca_file: Path | None = None
    """Who signs the certificate of OpenSearch; without it the certificate authorities of the system do."""
    memory_client_cert_file: Path | None = None
    memory_client_key_file: Path | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.memory_store != "opensearch":
            return self
        needed: dict[str, object] = {"MEMORY_URL": self.memory_url, "MEMORY_AUTH": self.memory_auth}
        if self.memory_auth == "mtls":
            needed |= {
                "MEMORY_CLIENT_CERT_FILE": self.memory_client_cert_file,
                "MEMORY_CLIENT_KEY_FILE": self.memory_client_key_file,
            }
        if missing := [name for name, value in needed.items() if not value]:
            with_auth = f" with MEMORY_AUTH {self.memory_auth}" if self.memory_auth else ""
            raise ValueError(f"MEMORY_STORE opensearch{with_auth} needs {', '.join(missing)}")
        return self


class PrepareMemorySettings(DatabaseSettings):
    """What the task ``prepare_memory`` reads beside the store, where that is pgvector."""

    database_admin_secret: str
    """Location of ``{"username", "password"}`` of the administrator."""


class ModelSettings(BaseSettings):
    """The language model that writes the replies."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, protected_namespaces=("pydantic_",)
    )

    model_provider: Literal["openai", "bedrock"]
    model_url: str | None = Field(default=None, pattern=_ENCRYPTED)
    """Base address of an OpenAI-compatible API, ending in ``/v1``; unencrypted only on this machine."""
    model_ca_file: Path | None = None
    """Roots that sign the model's certificate; the system's where left out."""
    model_name: str
    model_api_key: SecretStr | None = None
    model_context_tokens: int = Field(ge=512)
    """What a prompt and its reply may take together."""
    model_reply_tokens: int = Field(ge=1)
    """The longest reply."""
    model_timeout_seconds: float = Field(gt=0)
    """How long a reply may take, all attempts together."""
    model_concurrency: int = Field(ge=1)
    """Replies that are asked for at a time."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.model_provider == "openai" and not self.model_url:
            raise ValueError("MODEL_PROVIDER openai needs MODEL_URL")
        if self.model_reply_tokens * 2 > self.model_context_tokens:
            raise ValueError("MODEL_REPLY_TOKENS must be at most half of MODEL_CONTEXT_TOKENS")
        return self


class Settings(MemorySettings, ModelSettings, ServiceSettings):
    """All variables of the service but those of ``DatabaseSettings``."""

    caller_auth: Literal["mtls", "sigv4"]
    """How the backend shows who it is: a client certificate, or requests that VPC Lattice has checked."""
    client_ca_file: Path | None = None
    """The authority that signs the backend's client certificate and nothing else."""
    key_service: str = Field(pattern="^(/|arn:)")
    """What unwraps the keys of people's memories: the absolute path of a key file, or the ARN of a KMS key."""
    memory_search: Literal["sealed", "knn"]
    """Where a question is compared with what is remembered: see ``ai_core.memory.memories``."""
    memories_per_person: int = Field(ge=1)
    """Passages that are remembered of one person at the most."""

    @model_validator(mode="after")
    def _callers_are_known(self) -> Self:
        # The server does not tell the application who its client is, so that to be let in *is* to be the backend.
        if self.caller_auth != "sigv4" and not self.client_ca_file:
            raise ValueError("CALLER_AUTH mtls needs CLIENT_CA_FILE, or anybody could ask for a person's memories")
        return self
