"""Certificates of a rehearsal."""

import ssl
from pathlib import Path

import pytest

from rehearsal.authority import Authority


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Both sides in memory, until both are done."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_who_trusts_the_authority_believes_a_host_its_own_name_and_no_other(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    server = authority.server("users.us-east-1.rds.amazonaws.com")
    client = ssl.create_default_context(cafile=authority.certificate)
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 has it by default, which the images run
    _handshake(server, client, "users.us-east-1.rds.amazonaws.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _handshake(server, client, "memory.us-east-1.es.amazonaws.com")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get"):
        _handshake(server, ssl.create_default_context(), "users.us-east-1.rds.amazonaws.com")


def test_an_authority_that_is_there_is_the_same_again(tmp_path: Path) -> None:
    first = Authority(tmp_path).certificate.read_bytes()
    second = Authority(tmp_path)
    assert second.certificate.read_bytes() == first
    _handshake(second.server("a.invalid"), ssl.create_default_context(cafile=second.certificate), "a.invalid")
