"""What ``make bootstrap`` asks: ``python -m infra.guards.bootstrap stack|arguments|signing NAME``. Imports no CDK."""

import sys

from infra.delivery.settings import read_pipeline
from infra.guards.accounts import GuardedAccount, guarded_accounts
from infra.settings import PIPELINE, InvalidSettings, read_environments


def account_of(name: str) -> GuardedAccount:
    """The account of the environment ``name``, or of the pipeline.

    Raises:
        InvalidSettings: there is no such environment, or the settings of one are wrong.
    """
    environments = read_environments()
    pipeline = read_pipeline(environments)
    ids = {environment.name: environment.account.id for environment in environments}
    if pipeline:
        ids[PIPELINE] = pipeline.account.id
    if name not in ids:
        raise InvalidSettings(f"{name} is none of {', '.join(ids)}")
    return guarded_accounts(environments, pipeline)[ids[name]]


def main() -> None:
    """Print the stack of the account's guards, the arguments of ``cdk bootstrap``, or the stacks that sign images."""
    what, name = sys.argv[1:]
    try:
        account = account_of(name)
    except InvalidSettings as error:
        sys.exit(str(error))
    answers = {"stack": [account.stack], "arguments": account.bootstrap, "signing": account.signing_stacks.values()}
    print(*answers[what])  # noqa: T201  # it is what was asked for


if __name__ == "__main__":
    main()
