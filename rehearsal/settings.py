"""The environment that is rehearsed. Imports no CDK."""

import platform
from pathlib import Path

from infra.delivery.settings import read_pipeline
from infra.guards.accounts import GuardedAccount, guarded_accounts
from infra.settings import Environment, read_environment, read_environments

FILE = Path(__file__).parent / "dev.toml"
STAGE = "dev"
"""Its name: no other may do without protection against deletion, and the last step deletes it."""
ARCHITECTURES = {"x86_64": "X86_64", "aarch64": "ARM64"}


ZONE = "Z0EXAMPLE0000"
"""In the place of the hosted zone, which gets its id when it is made."""


def text(zone: str = ZONE) -> str:
    """The file, for processors like this machine's and with the id of the hosted zone."""
    here = FILE.read_text().replace('"X86_64"', f'"{ARCHITECTURES[platform.machine()]}"')
    return here.replace(f'"{ZONE}"', f'"{zone}"')


def environment() -> Environment:
    """Its settings."""
    return read_environment(STAGE, FILE.parent)


def account() -> GuardedAccount:
    """The account it is in."""
    settings = environment()
    return guarded_accounts([settings], None)[settings.account.id]


def pipelines_account() -> GuardedAccount | None:
    """That of the pipeline of this checkout; none where it has none."""
    environments = read_environments()
    pipeline = read_pipeline(environments)
    return guarded_accounts(environments, pipeline)[pipeline.account.id] if pipeline else None
