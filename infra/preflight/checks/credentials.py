"""Whose credentials these are."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.aws import NoCredentials
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """They are valid, and of the account in the settings."""
    account = inquiry.environment.account
    try:
        caller = inquiry.aws.ask("sts", "get_caller_identity")
    except NoCredentials as error:
        yield bad(
            f"there are none that AWS accepts ({error})",
            f"sign in to account {account.id}: `aws sso login --profile …` and `export AWS_PROFILE=…`, "
            "or `aws configure`",
        )
        return
    if caller["Account"] != account.id:
        yield bad(
            f"they are of account {caller['Account']}, and account.id is {account.id}",
            f"take credentials of {account.id}, or write {caller['Account']} into "
            f"environments/{inquiry.environment.name}.toml",
        )
    else:
        yield good(f"{caller['Arn']}, in {account.region}")
