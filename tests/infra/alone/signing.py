"""What signs images in the account of production, whose settings say so here."""

import aws_cdk as cdk

from infra.delivery.settings import read_pipeline
from infra.guards.accounts import GuardedAccount, guarded_accounts
from infra.guards.signing import SigningStack
from infra.setting_tables import Images
from infra.settings import read_environments


def signed(name: str) -> GuardedAccount:
    """The account of the environment ``name``, with ``images.signed = true`` in its settings."""
    shipped = read_environments()
    yes = {"images": Images(signed=True)}
    environments = [e.model_copy(update=yes) if e.name == name else e for e in shipped]
    accounts = guarded_accounts(environments, read_pipeline(environments)).values()
    return next(account for account in accounts if name in account.stages)


def make(app: cdk.App) -> None:
    """One stack."""
    account = signed("prod")
    for region in account.signed:
        SigningStack(app, account=account, region=region)
