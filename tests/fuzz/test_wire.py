"""Bytes that are no request, or almost one: a clear answer or a closed connection, and never two readings of them."""

import json

import pytest

from tests.backend.process import Backend
from tests.fuzz.wire import Wire

HEAD = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
REGISTER = b"POST /api/v1/auth/register HTTP/1.1\r\n" + HEAD + JSON
CONVERSATIONS = b"GET /api/v1/conversations HTTP/1.1\r\n" + HEAD


def refused(backend: Backend, sent: bytes) -> set[int]:
    """The statuses that answer ``sent``, each with a problem document, until the connection is closed; perhaps none."""
    with Wire(backend.port, backend.ca) as wire:
        answers = wire.send(sent).answers()
    for status, headers, body in answers:
        assert headers["content-type"] == "application/problem+json"
        document = json.loads(body)
        assert document.keys() - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
        assert (document["status"], document["request_id"]) == (status, headers["x-request-id"])
        assert headers["x-content-type-options"] == "nosniff"
    return {status for status, _, _ in answers}


NOT_HTTP = {
    "a request of HTTP/0.9": b"GET /healthz\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version there is not": b"GET /healthz HTTP/9.9\r\n" + HEAD + b"\r\n",
    "a method there is not": b"FROBNICATE /healthz HTTP/1.1\r\n" + HEAD + b"\r\n",
    "bytes that are no text": bytes(range(256)) * 4,
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a folded header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-One: a\r\n b\r\n\r\n",
    "a bare CR in a header": b"GET /healthz HTTP/1.1\r\nX-One: a\rX-Two: b\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nX-One: a\0b\r\n\r\n",
    "a raw NUL in the path": b"GET /heal\0thz HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a raw space in the path": b"GET /heal thz HTTP/1.1\r\n" + HEAD + b"\r\n",
    "bytes beyond ASCII in the path": "GET /healthz/\u00fc HTTP/1.1\r\n".encode() + HEAD + b"\r\n",
    "a target without a path": b"GET https://localhost HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a tunnel": b"CONNECT localhost:5432 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a negative length": REGISTER + b"Content-Length: -1\r\n\r\n{}",
    "a length with a sign": REGISTER + b"Content-Length: +2\r\n\r\n{}",
    "a length that is no number": REGISTER + b"Content-Length: 0x2\r\n\r\n{}",
    "a length beyond 64 bits": REGISTER + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "a length of 5,000 digits": REGISTER + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{}",
    "two lengths": REGISTER + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "two lengths in one": REGISTER + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length and chunks": REGISTER + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": REGISTER + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "a coding that is not chunked": REGISTER + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "chunked that is not the last": REGISTER + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a chunk's length that is no number": REGISTER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk's length beyond 64 bits": REGISTER + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n{}\r\n",
    "a chunk longer than it says": REGISTER + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_no_http_is_a_400_and_ends_the_connection(fuzzed: Backend, sent: bytes) -> None:
    # What follows would be the smuggled request.
    assert refused(fuzzed, sent + CONVERSATIONS + b"\r\n") == {400}


TOO_LONG = {
    "an address": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n",
    "a header": b"GET /healthz HTTP/1.1\r\nX-One: " + b"a" * 300_000 + b"\r\n",
    "a header that never ends": b"GET /healthz HTTP/1.1\r\nX-One: " + b"a" * 300_000,
    "a name of a header": b"GET /healthz HTTP/1.1\r\n" + b"a" * 300_000 + b": a\r\n",
    "a flood of headers": b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 50_000,
    "a flood of trailers": REGISTER + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: a\r\n" * 50_000,
}


@pytest.mark.parametrize("sent", TOO_LONG.values(), ids=TOO_LONG)
def test_too_long_a_head_is_a_431_or_a_closed_connection(fuzzed: Backend, sent: bytes) -> None:
    assert refused(fuzzed, sent + b"\r\n") <= {431}


def test_a_body_that_never_ends_is_a_413(fuzzed: Backend) -> None:
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        wire.send(REGISTER + b"Transfer-Encoding: chunked\r\n\r\n").send(chunk for _ in range(17))
        answer = wire.answer()
        assert answer
        assert answer[0] == 413
        assert wire.send(chunk for _ in range(10_000)).answer() is None


BODIES = {
    "a bracket 30,000 times": b"[" * 30_000,
    "objects 10,000 deep": b'{"a":' * 10_000,
    "a raw lone surrogate": b'{"email": "\xed\xa0\x80@example.com", "password": "aaaaaaaaaa"}',
    "an escaped lone surrogate": b'{"email": "a@example.com", "password": "aaaaaaaaa\\ud800"}',
    "half a pair of surrogates at the end": b'{"email": "a@example.com", "password": "aaaaaaaaa\\ud83d"}',
    "overlong UTF-8": b'{"email": "a@example.com", "password": "aaaaaaaa\xc0\xaf"}',
    "UTF-16": '{"email": "a@example.com"}'.encode("utf-16"),
    "a number beyond 64 bits": b'{"email": 340282366920938463463374607431768211456, "password": "aaaaaaaaaa"}',
    "a number of 5,000 digits": b'{"email": ' + b"9" * 5_000 + b"}",
    "a number beyond a float": b'{"email": 1e999999999}',
    "what JSON does not have": b'{"email": NaN, "password": Infinity}',
    "a name twice": b'{"email": "a@example.com", "email": 1, "password": "aaaaaaaaaa"}',
    "an address from right to left": '{"email": "\u202e@\u0645.com\u0000", "password": "aaaaaaaaaa"}'.encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_taken_is_a_422(fuzzed: Backend, body: bytes) -> None:
    head = REGISTER + b"Connection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    assert refused(fuzzed, head + body) == {422}


PATHS = {
    "//healthz": 404,
    "/healthz/": 404,
    "/./healthz": 404,
    "/api/../healthz": 404,
    "/api/v1/%2e%2e/%2e%2e/healthz": 404,
    "/healthz%00": 404,
    "/%00": 404,
    "/healthz%2f": 404,
    "/%ff%fe": 404,
    "/%ed%a0%80": 404,
    "/%zz": 404,
    "/healthz%0d%0aX-One:%20a": 404,
    "/api/v1/conversations/%00": 401,
    "/api/v1/conversations?cursor=%00&limit=99999999999999999999999": 401,
    "https://elsewhere.example/nowhere": 404,
}


@pytest.mark.parametrize(("target", "status"), PATHS.items())
def test_no_spelling_of_an_address_leads_elsewhere(fuzzed: Backend, target: str, status: int) -> None:
    sent = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    assert refused(fuzzed, sent) == {status}
