"""Whose credentials these are."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.aws import NoCredentials
from infra.preflight.check import Located


def ask(inquiry: Located) -> Iterator[Answer]:
    """They are valid, and of the account in the settings."""
    place = inquiry.place
    try:
        caller = inquiry.aws.ask("sts", "get_caller_identity")
    except NoCredentials as error:
        yield bad(
            f"there are none that AWS accepts ({error})",
            f"sign in to account {place.account}: `aws sso login --profile …` and `export AWS_PROFILE=…`, "
            "or `aws configure`",
        )
        return
    if caller["Account"] != place.account:
        yield bad(
            f"they are of account {caller['Account']}, and account.id is {place.account}",
            f"take credentials of {place.account}, or write {caller['Account']} into environments/{place.name}.toml",
        )
    else:
        yield good(f"{caller['Arn']}, in {place.regions[0]}")
