"""How PostgreSQL is reached: over verified TLS, with a password or, without one, with an IAM token a connection."""

import asyncio
import functools
import ssl
from collections.abc import Awaitable, Callable

from chassis import aws
from chassis.settings import DatabaseSettings

STATEMENT_SECONDS = 15


def tls_of(settings: DatabaseSettings) -> ssl.SSLContext:
    """Checks the server's certificate and name."""
    tls = ssl.create_default_context(cafile=settings.database_ca_file)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return tls


def password_of(settings: DatabaseSettings) -> str | Callable[[], Awaitable[str]]:
    """The password, or what makes an IAM token for each new connection."""
    if settings.database_password:
        return settings.database_password.get_secret_value()

    client = functools.cache(aws.rds)

    def signed() -> str:
        return client().generate_db_auth_token(settings.database_host, settings.database_port, settings.database_user)

    async def token() -> str:
        # Signing is local, but the task's credentials may have to be renewed first.
        return await asyncio.to_thread(signed)

    return token
