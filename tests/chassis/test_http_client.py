"""A client that calls others and brings no TLS context of its own trusts nobody."""

import subprocess
import sys
from pathlib import Path

from local.certificates import Authority

CLIENT = """
import asyncio, os, ssl, sys

before = dict(os.environ)
from chassis.http_client import aiohttp

assert os.environ == before

async def main(certificate, key):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def answer(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, ssl=ssl.create_default_context()) as answered:
            print(answered.status)
        try:
            async with session.get(url) as answered:
                print(answered.status)
        except aiohttp.ClientConnectorCertificateError:
            print("not trusted")
    server.close()

asyncio.run(main(*sys.argv[1:]))
"""


def test_who_brings_no_context_trusts_not_even_the_roots_of_the_machine(tmp_path: Path) -> None:
    authority = Authority("test")
    root = tmp_path / "root.pem"
    authority.write_certificate(root)
    leaf = authority.issue_server("server", tmp_path)
    service = Path(__file__).parents[2] / "services" / "chassis"
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, leaf.certificate, leaf.key],
        env={"PYTHONPATH": str(service), "SSL_CERT_FILE": str(root), "SSL_CERT_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split("\n") == ["204", "not trusted", ""], done.stderr
