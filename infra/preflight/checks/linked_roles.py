"""Whether the roles exist by which services of AWS act in the account."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.aws import AwsError
from infra.preflight.check import Inquiry
from infra.settings import Environment

ALWAYS = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "opensearchservice.amazonaws.com",
    "rds.amazonaws.com",
    "vpc-lattice.amazonaws.com",
)
"""Made by the first use otherwise, which fails because the role is not known everywhere at once.

Not that of multi-Region keys: nobody but KMS can make it, with the first such key (AWS KMS guide, "Authorizing AWS KMS
to synchronize multi-Region keys").
"""

FOLDER = "/aws-service-role/"
SECONDS = 30
"""Until a new role is known everywhere, about."""


def services(environment: Environment) -> tuple[str, ...]:
    """The services that act in the account for an environment."""
    backup = ("backup.amazonaws.com",) if environment.backup.enabled else ()
    firewall = ("wafv2.amazonaws.com",) if environment.web.firewall else ()
    return (*ALWAYS, *backup, *firewall)


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """Each exists. With ``fix`` those that are missing are made."""
    roles = inquiry.aws.ask("iam", "list_roles", PathPrefix=FOLDER)["Roles"]
    there = {role["Path"].removeprefix(FOLDER).rstrip("/") for role in roles}
    made: list[str] = []
    for service in services(inquiry.environment):
        if service in there:
            yield good(f"{service} has its role")
        elif inquiry.fix:
            _make(inquiry, service)
            made.append(service)
        else:
            command = f"aws iam create-service-linked-role --aws-service-name {service}"
            again = f"or make preflight ENV={inquiry.environment.name} FIX=1"
            yield bad(f"{service} has no role", f"`{command}`, {again}")
    if made:
        inquiry.wait(SECONDS)
        for service in made:
            yield good(f"{service} has got its role")


def _make(inquiry: Inquiry, service: str) -> None:
    try:
        inquiry.aws.ask("iam", "create_service_linked_role", AWSServiceName=service)
    except AwsError as error:
        if "has been taken" not in str(error):  # made meanwhile
            raise
