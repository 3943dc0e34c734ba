"""The load balancer lets paths through by how they begin. What begins so must not end at another route."""

import http.client
import ssl

import pytest

from infra.services import read_services
from tests.chassis.conftest import Service

PUBLIC = read_services()["backend"].edge


def _status(service: Service, target: str) -> int:
    """Of a request whose target is sent as it is written, which no client library does."""
    context = ssl.create_default_context(cafile=service.ca)
    connection = http.client.HTTPSConnection("localhost", service.port, timeout=10, context=context)
    try:
        connection.request("GET", target)
        return connection.getresponse().status
    finally:
        connection.close()


def test_readiness_has_more_than_one_spelling(service: Service) -> None:
    """Which is why the load balancer lets through what is public, and does not refuse what is not."""
    assert _status(service, "/readyz") == _status(service, "/%72eadyz") == 200


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/../../readyz",
        "/api/v1/%2e%2e/%2e%2e/readyz",
        "/api/v1/..%2f..%2freadyz",
        "/api/v1/..\\..\\readyz",
        "/api/v1//readyz",
        "/api/v1/%00/../../../readyz",
        "/api/v1/;/../../readyz",
    ],
)
def test_a_path_within_the_public_ones_does_not_lead_out_of_them(service: Service, target: str) -> None:
    assert PUBLIC.admits(target)
    assert _status(service, target) in {400, 404}
