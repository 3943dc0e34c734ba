"""Whether the policies exist that bound what is deployed."""

from collections.abc import Iterator

from infra.guards.names import BOUNDARY, EXECUTION
from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Located


def ask(inquiry: Located) -> Iterator[Answer]:
    """Every role names the boundary; without it none can be made."""
    place = inquiry.place
    for name in (BOUNDARY, *EXECUTION):
        arn = f"arn:aws:iam::{place.account}:policy/{name}"
        if inquiry.aws.find("NoSuchEntity", "iam", "get_policy", PolicyArn=arn) is None:
            yield bad(f"there is no policy {name}", f"make bootstrap ENV={place.name}")
        else:
            yield good(f"the policy {name} is there")
