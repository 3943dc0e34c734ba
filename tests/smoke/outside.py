"""What anybody may see of the address before they have an account."""

import ssl
import time
import warnings
from collections.abc import Callable
from http import HTTPStatus

from tests.smoke.address import API, Address, Call
from tests.smoke.failures import Failed, Refused, Unreachable, explained

STARTING = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What a load balancer says whose targets are not healthy yet."""
PAUSE_SECONDS = 1
LEAST_HSTS_SECONDS = 365 * 24 * 3600
"""A browser that was here once speaks nothing but TLS for a year (RFC 6797; OWASP ASVS 5.0, 3.4.1)."""
CALLED = {
    "/auth/register", "/auth/token", "/auth/refresh", "/auth/logout", "/conversations", "/users/me",
    "/conversations/{conversation_id}", "/conversations/{conversation_id}/messages", "/users/me/export",
    "/users/me/memories", "/erasures/{erasure_id}",
}  # fmt: skip
"""What a person's life takes, below the API's prefix."""
_CANNOT = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE")
"""Reasons of OpenSSL for not even saying hello."""


def healthy(address: Address, settle: float, say: Callable[[str], None]) -> str:
    """``/healthz`` answers, at the latest ``settle`` seconds from now: the first tasks may only be starting."""
    begun, told = time.monotonic(), False
    while True:
        try:
            answer = address.ask(Call("GET", "/healthz"))
        except (Unreachable, Refused) as failure:
            passing = isinstance(failure, Unreachable) or failure.status in STARTING
            if not passing or time.monotonic() - begun > settle:
                raise
            if not told:
                say(f"        not yet: {failure}; asked again for up to {settle:.0f} s")
            told = True
            time.sleep(PAUSE_SECONDS)
        else:
            return _kept_to_tls(answer.headers.get("Strict-Transport-Security", ""))


def _kept_to_tls(header: str) -> str:
    directives = [part.strip().lower() for part in header.split(";")]
    ages = [part.removeprefix("max-age=").strip('"') for part in directives if part.startswith("max-age=")]
    if not ages or not ages[0].isdecimal() or int(ages[0]) < LEAST_HSTS_SECONDS:
        raise Failed("browsers are not told to keep to TLS for a year (Strict-Transport-Security)")
    return f"browsers keep to TLS for {int(ages[0]) // 86400} days"


def transport(address: Address) -> str:
    """A good certificate, TLS 1.2 or newer, and nothing older."""
    try:
        with address.handshake(address.tls) as connection:
            version, certificate = connection.version(), connection.getpeercert() or {}
    except OSError as error:
        raise explained(error, address.where) from error
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86400)
    return f"{version}, certificate good for {days} days, TLS 1.1 {_older(address)}"


def _older(address: Address) -> str:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # nothing is said over it
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with address.handshake(tls):
            raise Failed("TLS 1.1 is spoken")
    except ssl.SSLError as error:
        return "not tried: OpenSSL here cannot" if error.reason in _CANNOT else "refused"
    except ConnectionError:
        return "refused"
    except OSError as error:
        raise explained(error, address.where) from error


def description(address: Address) -> str:
    """The OpenAPI document has all that is called below."""
    document = address.ask(Call("GET", "/openapi.json")).json()
    version, paths = document["openapi"], set[str](document["paths"])
    if not version.startswith("3."):
        raise Failed("is no OpenAPI 3 document")
    if missing := sorted({API + path for path in CALLED} - paths):
        raise Failed(f"does not describe {', '.join(missing)}")
    return f"OpenAPI {version}, {len(paths)} paths"
