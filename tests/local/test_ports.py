"""Ports on this machine."""

import socket

import pytest

from local import ports
from local.failure import Failure


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_in_use_is_named_with_what_to_do(
    family: socket.AddressFamily, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ports, "ENDING_SECONDS", 0)
    with socket.socket(family) as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Failure, match=rf"^Port {port} is in use: .*PORT="):
            ports.check_free(port)


def test_a_port_that_is_being_given_up_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]

    def close(_seconds: float) -> None:
        other.close()

    monkeypatch.setattr(ports.time, "sleep", close)
    ports.check_free(port)


def test_a_free_port_is_free():
    ports.check_free(ports.free_port())
