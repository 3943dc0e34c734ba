"""What the backend does with people's keys: keeps them wrapped, and hands the right one along with each call."""

import base64
import json
import re
from collections.abc import Generator
from pathlib import Path
from uuid import UUID

import httpx
from ai_core.memory_key import HEADER
from chassis.sealing.cells import PersonKey
from chassis.sealing.key_service import FileKeyService, context

_PERSON = re.compile(r"^/v1/users/([0-9a-f-]{36})/")


class KeysAlong(httpx.Auth):
    """Everybody's keys for their memories, made when first needed.

    As the ``auth`` of a client it adds the key of the person whom a request is about, unless one is sent already.

    Args:
        key_file: What the AI core unwraps them with.
    """

    requires_request_body = True

    def __init__(self, key_file: Path) -> None:
        self.service = FileKeyService(key_file)
        self._wrapped: dict[UUID, bytes] = {}

    def wrapped(self, user_id: UUID) -> bytes:
        """The person's wrapped key: always the same one."""
        return self._wrapped.setdefault(user_id, self.service.generate(context("memories", user_id)))

    def key(self, user_id: UUID) -> PersonKey:
        """The person's key."""
        return PersonKey(user_id, self.service.unwrap(self.wrapped(user_id), context("memories", user_id)))

    def header(self, user_id: UUID) -> dict[str, str]:
        """The header that hands the person's key along."""
        return written(self.wrapped(user_id))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """See ``httpx.Auth``."""
        user_id = _person(request)
        if HEADER not in request.headers and user_id is not None:
            request.headers.update(self.header(user_id))
        yield request


def written(wrapped: bytes) -> dict[str, str]:
    """The header that hands ``wrapped`` along."""
    return {HEADER: base64.b64encode(wrapped).decode()}


def _person(request: httpx.Request) -> UUID | None:
    try:
        if found := _PERSON.match(request.url.path):
            return UUID(found[1])
        return UUID(json.loads(request.content)["user_id"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # a request that is not as it must be
