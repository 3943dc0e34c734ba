"""What the backend's process reads from its environment; the same variables stand in ``service.toml``."""

from pathlib import Path
from typing import Literal, Self

from chassis.settings import CommaSeparated, DatabaseSettings, ServiceSettings
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class KeySettings(BaseSettings):
    """Where the signing keys are and how long a token that they signed is good."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    signing_keys: str
    """Secret location of a JWK set with private keys."""
    access_token_seconds: int = Field(gt=0)


class AiCoreSettings(BaseSettings):
    """Where the AI core is and how the backend shows it who calls."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    ai_core_url: str = Field(pattern="^https://")
    ai_core_auth: Literal["mtls", "sigv4"]
    """A client certificate, or requests signed for VPC Lattice."""
    ai_core_ca_file: Path | None = None
    """Who signs the AI core's certificate; without it the certificate authorities of the system do."""
    ai_core_client_cert_file: Path | None = None
    ai_core_client_key_file: Path | None = None

    @model_validator(mode="after")
    def _certificate_for_mtls(self) -> Self:
        if self.ai_core_auth == "mtls" and not (self.ai_core_client_cert_file and self.ai_core_client_key_file):
            raise ValueError("AI_CORE_AUTH=mtls needs AI_CORE_CLIENT_CERT_FILE and AI_CORE_CLIENT_KEY_FILE")
        return self


class SealingSettings(BaseSettings):
    """Where the two keys are that together open a person's own (see ``backend.keys.person_keys``)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    key_service: str = Field(pattern="^(/|arn:)")
    """The absolute path of a key file, or the ARN of a KMS key."""
    epoch_keys: str = Field(pattern="^(/|arn:)")
    """The absolute path of a folder, or ``arn:…:secret:<prefix>`` of AWS Secrets Manager."""


class Settings(ServiceSettings, DatabaseSettings, KeySettings, SealingSettings, AiCoreSettings):
    """Everything the service reads."""

    database_quiet_seconds: float = Field(default=300, gt=0)
    """How long nobody has to have used the database before it is left alone."""
    refresh_token_seconds: int = Field(gt=0)
    """How long a sign-in lives without being renewed."""
    sign_in_seconds: int = Field(gt=0)
    """How long a sign-in lives at the most."""
    cors_origins: CommaSeparated
    """The web pages that may call from a browser."""
    trusted_proxies: CommaSeparated
    """Networks whose ``X-Forwarded-For`` is believed."""
    max_body_bytes: int = Field(gt=0)
    max_message_characters: int = Field(gt=0)
    sign_in_failures_per_account: int = Field(gt=0)
    """Within the window, of one account from one address."""
    sign_in_failures_per_address: int = Field(gt=0)
    sign_in_window_seconds: int = Field(gt=0)
    registrations_per_address_and_hour: int = Field(gt=0)
    sign_ins_per_hour: int = Field(gt=0)
    """Of one person, together with changes of the password; those that fail have limits of their own."""
    refreshes_per_hour: int = Field(gt=0)
    messages_per_minute: int = Field(gt=0)
    messages_per_day: int = Field(gt=0)
    conversations_per_day: int = Field(gt=0)
    exports_per_day: int = Field(gt=0)
    replies_per_person: int = Field(gt=0)
    """Written at the same time, by this process."""
    requests_per_second_per_person: int = Field(gt=0)
    """Served by this process."""
    requests_per_second_per_address: int = Field(gt=0)
    """Without a good access token, served by this process."""


class MigrationSettings(DatabaseSettings):
    """What the migration task reads."""

    database_admin_secret: str
    """Secret location of the administrator's user name and password."""


class EpochSettings(DatabaseSettings, SealingSettings):
    """What the tasks read that make epoch keys."""

    epoch_secrets_key: str | None = None
    """ARN of the KMS key of the secrets that hold epoch keys; only in the cloud."""
    recovery_regions: CommaSeparated = ()
    """Where those secrets are replicated to; only in the cloud."""


class RollSettings(EpochSettings):
    """What the roll and a restore of keys read."""

    key_exports: str = Field(pattern="^(/|arn:)")
    """The absolute path of a folder, or the ARN of an S3 bucket."""
