"""Whether the policies exist that bound what is deployed, and the role that reads it for the pipeline."""

from collections.abc import Iterator

from infra.guards.names import BOUNDARY, EXECUTION, READER
from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Located


def ask(inquiry: Located) -> Iterator[Answer]:
    """Every role names the boundary, without which none can be made; what the pipeline deploys, it reads before."""
    place = inquiry.place
    for name in (BOUNDARY, *EXECUTION):
        arn = f"arn:aws:iam::{place.account}:policy/{name}"
        if inquiry.aws.find("NoSuchEntity", "iam", "get_policy", PolicyArn=arn) is None:
            yield bad(f"there is no policy {name}", f"make bootstrap ENV={place.name}")
        else:
            yield good(f"the policy {name} is there")
    if place.trusted:
        if inquiry.aws.find("NoSuchEntity", "iam", "get_role", RoleName=READER) is None:
            yield bad(f"there is no role {READER}", f"make bootstrap ENV={place.name}")
        else:
            yield good(f"the role {READER} is there")
