"""OpenSearch Service: a server that was started beside the emulator answers at the name of a domain."""

import hashlib
import os
from typing import Any

from rehearsal.plugin import endpoints, ministack
from rehearsal.plugin.endpoints import Endpoint
from rehearsal.plugin.handlers import Json, Made, table
from rehearsal.plugin.journal import note

KIND = "AWS::OpenSearchService::Domain"


def install() -> None:
    """Give a domain its name, and take it away with it."""
    handler = table()[KIND]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def named(made: Made) -> Made:
        physical, attributes = made
        record = ministack.module("services.opensearch")._domains[physical]
        host = _host(physical, record["ARN"])
        endpoints.ALL[host] = Endpoint("domain", record["ARN"], ministack.account(), ministack.region())
        return physical, {**attributes, "DomainEndpoint": host}

    def created(logical: str, properties: Json, stack: str) -> Made:
        wanted = properties["EngineVersion"].removeprefix("OpenSearch_")
        if not os.environ["REHEARSAL_OPENSEARCH"].startswith(f"{wanted}."):
            raise ValueError(f"the template wants OpenSearch {wanted}, here is {os.environ['REHEARSAL_OPENSEARCH']}")
        return named(create(logical, properties, stack))

    def deleted(physical: str, properties: Json) -> None:
        arn = ministack.arn("es", f"domain/{physical}")
        endpoints.ALL.pop(_host(physical, arn), None)
        delete(physical, properties)

    def updated(*arguments: Any, **named_arguments: Any) -> Made:
        return named(update(*arguments, **named_arguments))

    handler.update(create=created, update=updated, delete=deleted)
    note("repaired", KIND)


def policy(arn: str) -> tuple[Any, str] | None:
    """The access policy of the domain that a request's resource is in, and whose it is."""
    name = arn.split(":domain/")[1].split("/", maxsplit=1)[0]
    record = ministack.module("services.opensearch")._domains.get(name)
    found = record and record.get("AccessPolicies")
    return (found, arn.split(":")[4]) if found else None


def _host(name: str, arn: str) -> str:
    return f"vpc-{name}-{hashlib.sha256(arn.encode()).hexdigest()[:26]}.{ministack.region()}.es.amazonaws.com"
