"""Whether the account is prepared for CDK."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Located

VERSION = 8
"""The least that the stacks ask for."""
PARAMETER = "/cdk-bootstrap/hnb659fds/version"
STACK = "CDKToolkit"


def ask(inquiry: Located) -> Iterator[Answer]:
    """New enough in every region that is deployed to, and open to the pipeline where there is one."""
    remedy = f"make bootstrap ENV={inquiry.place.name}"
    for region in inquiry.place.regions:
        answer = inquiry.aws.find("ParameterNotFound", "ssm", "get_parameter", region=region, Name=PARAMETER)
        if answer is None:
            yield bad(f"{region} is not bootstrapped", remedy)
            continue
        version = int(answer["Parameter"]["Value"])
        if version < VERSION:
            yield bad(f"{region} has version {version}, and {VERSION} is needed", remedy)
        else:
            yield good(f"{region} has version {version}")
        yield from _trust(inquiry, region, remedy)


def _trust(inquiry: Located, region: str, remedy: str) -> Iterator[Answer]:
    tooling = inquiry.place.trusted
    if tooling is None or tooling == inquiry.place.account:
        return
    (stack,) = inquiry.aws.ask("cloudformation", "describe_stacks", region=region, StackName=STACK)["Stacks"]
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", [])}
    if tooling in parameters.get("TrustedAccounts", "").split(","):
        yield good(f"{region} trusts the pipeline's account {tooling}")
    else:
        yield bad(f"{region} does not trust the pipeline's account {tooling}, which is to deploy to it", remedy)
