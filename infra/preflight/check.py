"""What a check is, and what it may ask."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from infra.delivery.settings import Pipeline
from infra.preflight.answers import Answer
from infra.preflight.aws import Aws
from infra.preflight.name_servers import public_name_servers
from infra.services import Service
from infra.settings import Environment


@dataclass(frozen=True)
class Inquiry:
    """An environment, and the account that it is to be deployed to.

    ``fix`` allows to make service-linked roles, after which ``wait`` passes the seconds until they can be used.
    ``name_servers`` asks the internet for those of a domain, and is ``None`` where it cannot be asked.
    """

    environment: Environment
    services: Mapping[str, Service]
    aws: Aws
    pipeline: Pipeline | None = None
    fix: bool = False
    wait: Callable[[float], None] = time.sleep
    name_servers: Callable[[str], set[str] | None] = public_name_servers


@dataclass(frozen=True)
class Check:
    """``ask`` yields answers; what it raises of ``AwsError`` is an answer too, after those that it has given."""

    title: str
    ask: Callable[[Inquiry], Iterable[Answer]]
