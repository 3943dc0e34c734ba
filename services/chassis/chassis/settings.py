"""Settings every service has; a service's own class inherits them. Values come from the environment alone."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""``a,b`` in the environment; an empty string is an empty tuple."""


class ServiceSettings(BaseSettings):
    """What the server of a service needs, wherever it runs."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    listen_addresses: CommaSeparated = ()
    """Where to listen; on every IPv4 and IPv6 address where left out."""
    port: int = Field(ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    tls_cert_file: Path | None = None
    """Certificate chain; with neither file the server makes a certificate of its own at start (behind AWS load
    balancers, which do not verify it)."""
    tls_key_file: Path | None = None
    deregistration_seconds: float = Field(ge=0)
    """How long after SIGTERM the load balancer may still send something new."""
    drain_seconds: float = Field(gt=0)
    """When, counted from SIGTERM, what still runs is cut off."""


class DatabaseSettings(BaseSettings):
    """A PostgreSQL database, reached over verified TLS."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    database_host: str
    database_port: int = Field(ge=1, le=65535)
    database_name: str
    database_user: str
    database_ca_file: Path
    database_password: SecretStr | None = None
    """Without it each new connection signs in with an IAM token."""
    database_connect_seconds: float = Field(default=5, gt=0)
    """How long a connection may take, and how long one waits for a free one. Aurora that has paused takes 15 to 30
    seconds."""


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def read_settings(kind: type[AnySettings]) -> AnySettings:
    """The settings of this process, from its environment.

    Raises:
        SystemExit: some are missing or wrong; says which variables and what is allowed, and shows no value.
    """
    try:
        return kind()
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False)
        ]
        raise SystemExit(f"This process cannot start. {'; '.join(wrong)}") from None
