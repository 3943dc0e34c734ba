"""Clients that take their time, or more than their share: the connection ends, and others are served meanwhile."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest
from chassis.connections import MOST_PIPELINED

from tests.chassis.conftest import Service, started
from tests.fuzz.wire import Wire
from tests.support.inside import resident_bytes
from tests.support.waiting import eventually

HEAD = b"POST /notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
MIB = 2**20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The chassis' own small service; its time limits are a second."""
    with started(tmp_path_factory.mktemp("slow"), MOST_CONNECTIONS="40") as running:
        yield running


BEGUN: dict[str, tuple[bytes, list[int]]] = {
    "nothing": (b"", []),
    "empty lines": (b"\r\n\r\n", []),
    "half a request line": (b"GET /heal", [408]),
    "half the headers": (HEAD + b"X-One: ", [408]),
    "half a body": (HEAD + b"Content-Length: 100\r\n\r\n{", [408]),
    "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n{", [408]),
    "half a body of what is answered": (
        b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        [404],
    ),
}


@pytest.mark.parametrize(("begun", "statuses"), BEGUN.values(), ids=BEGUN)
def test_what_does_not_arrive_in_time_ends_the_connection(service: Service, begun: bytes, statuses: list[int]) -> None:
    with Wire(service.port, service.ca) as wire:
        wire.send(begun)
        with service.client() as other:
            assert other.get("/healthz").status_code == 200
        answers = wire.answers()
    assert [status for status, _, _ in answers] == statuses
    assert {headers["content-type"] for _, headers, _ in answers} <= {"application/problem+json"}


def test_a_drip_does_not_prolong_it(service: Service) -> None:
    with Wire(service.port, service.ca) as wire:
        wire.send(b"GET /healthz HTTP/1.1\r\n")
        wire.socket.settimeout(0.1)
        statuses: list[int] = []
        for _ in range(100):
            wire.send(b"X: a\r\n")
            try:
                if data := wire.socket.recv(4096):
                    statuses.append(int(data.split()[1]))
                break
            except TimeoutError:
                continue
    assert statuses == [408]


def test_who_reads_nothing_is_cut_off_and_costs_no_memory(service: Service) -> None:
    before = resident_bytes(service.process.pid)
    with Wire(service.port, service.ca) as wire, service.client() as other:
        wire.send(b"GET /floods HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def cut_off() -> bool:
            assert other.get("/healthz").status_code == 200
            return '"flood.ended"' in service.log

        assert eventually(cut_off)
        assert resident_bytes(service.process.pid) - before < 8 * MIB


def test_more_connections_than_there_may_be_are_refused_and_the_others_served(service: Service) -> None:
    before = resident_bytes(service.process.pid)
    with service.client() as other, ExitStack() as held:
        assert other.get("/healthz").status_code == 200
        answered = 0
        for _ in range(60):
            with suppress(ConnectionError, ssl.SSLError):
                # One that was answered may stay as long as others do.
                answered += held.enter_context(Wire(service.port, service.ca)).send(HEALTH).answer() is not None
        assert answered == 39
        assert other.get("/healthz").status_code == 200
        assert resident_bytes(service.process.pid) - before < 16 * MIB

    def served() -> bool:
        with service.client() as late:
            try:
                return late.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

    assert eventually(served)


@pytest.mark.parametrize(("more", "answered"), [(0, 1 + MOST_PIPELINED), (1, 1)])
def test_more_requests_than_may_wait_for_an_answer_end_the_connection(
    service: Service, more: int, answered: int
) -> None:
    first = b"GET /streams?steps=2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with Wire(service.port, service.ca) as wire:
        wire.send(first)
        received = wire.socket.recv(4096)  # it is being answered
        wire.send(HEALTH * (MOST_PIPELINED - 1 + more) + last)
        with suppress(ConnectionError, ssl.SSLError):
            while data := wire.socket.recv(65_536):
                received += data
    assert received.count(b"HTTP/1.1 200 OK") == answered


def test_floods_leave_no_memory_behind(service: Service) -> None:
    floods = (
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200_000,
        b"GET /" + b"a" * MIB,
        HEALTH * 50_000,
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + (b"1000;" + b"e" * 0x1000 + b"\r\n" + b" " * 0x1000 + b"\r\n") * 500,
    )

    def rush() -> None:
        for flood in floods:
            with Wire(service.port, service.ca) as wire:
                wire.send(flood)

    rush()  # what a process needs once
    before = resident_bytes(service.process.pid)
    for _ in range(5):
        rush()
    assert resident_bytes(service.process.pid) - before < 16 * MIB
