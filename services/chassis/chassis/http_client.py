"""``from chassis.http_client import aiohttp``: the package, without the roots that it reads and nobody uses.

It makes two TLS contexts as it is imported and reads the machine's roots for each, which is a tenth of a second of
every start. Here it finds none: each client brings a context of its own, and one that did not would trust nobody.
"""

import os
from typing import Final

_NO_ROOTS: Final = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""What OpenSSL asks, each time that a context wants the machine's roots."""

_before = {name: os.environ.pop(name, None) for name in _NO_ROOTS}
os.environ.update(_NO_ROOTS)
try:
    import aiohttp
    from aiohttp.http_exceptions import HttpProcessingError
finally:
    for _name, _value in _before.items():
        del os.environ[_name]
        if _value is not None:
            os.environ[_name] = _value

__all__ = ["HttpProcessingError", "aiohttp"]
