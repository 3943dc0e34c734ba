"""MiniStack's modules, which have neither types nor stubs."""

import importlib
from typing import Any


def module(name: str) -> Any:
    """``ministack.<name>``."""
    return importlib.import_module(f"ministack.{name}")


def account() -> str:
    """Of the request that is being answered."""
    return module("core.responses").get_account_id()


def region() -> str:
    """Of the request that is being answered."""
    return module("core.responses").get_region()


def arn(service: str, resource: str) -> str:
    """Name of a resource in the account and region of the request."""
    return f"arn:aws:{service}:{region()}:{account()}:{resource}"
