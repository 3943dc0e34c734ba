"""Whether images will be signed as they are pushed, where the settings say so."""

from collections.abc import Iterator

from infra.guards.names import QUALIFIER
from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """Amazon ECR has a rule for the repository that images are pushed to; without one it takes them unsigned."""
    environment = inquiry.environment
    if not environment.images.signed:
        yield good("images are not signed: images.signed is false")
        return
    repository = f"cdk-{QUALIFIER}-container-assets-{environment.account.id}-{environment.account.region}"
    answer = inquiry.aws.find("SigningConfigurationNotFoundException", "ecr", "get_signing_configuration") or {}
    rules = answer.get("signingConfiguration", {}).get("rules", [])
    if any(known["filter"] == repository for rule in rules for known in rule.get("repositoryFilters", [])):
        yield good(f"what is pushed to {repository} is signed")
    else:
        yield bad(f"what is pushed to {repository} is not signed", f"make bootstrap ENV={environment.name}")
