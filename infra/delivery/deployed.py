"""What is deployed of an environment, read with CloudFormation and written down as an assembly that the guard reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.preflight.aws import Aws
from infra.settings import Environment

Json = dict[str, Any]

NOTHING: Final = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})
"""States in which a stack has no resources: removed, or only thought of.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSummary.html>
"""


class Unsettled(Exception):
    """A stack is being changed: what is deployed is not known before that ends."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """One stack, where it is, and its template as it was handed in."""

    name: str
    account: str
    region: str
    protected: bool
    template: Json


def read_deployed(environment: Environment, aws: Aws) -> list[DeployedStack]:
    """Every stack whose name begins with the environment's, in each of its regions; those that were forgotten, too.

    Raises:
        Unsettled: one is being changed.
        AwsError: CloudFormation does not answer, or may not be asked.
    """
    regions = (environment.account.region, environment.backup.copy_region)
    return [stack for region in regions if region for stack in _in_region(environment, aws, region)]


def _in_region(environment: Environment, aws: Aws, region: str) -> Iterator[DeployedStack]:
    listed = aws.ask("cloudformation", "list_stacks", region=region)["StackSummaries"]
    for name, status in sorted((stack["StackName"], stack["StackStatus"]) for stack in listed):
        if status in NOTHING or not name.startswith(f"{environment.name}-"):
            continue
        if status.endswith("_IN_PROGRESS"):
            raise Unsettled(f"{name} in {region} is {status}: what is deployed is known only when that has ended")
        yield _read(environment.account.id, aws, region, name)


def _read(account: str, aws: Aws, region: str, name: str) -> DeployedStack:
    (stack,) = aws.ask("cloudformation", "describe_stacks", region=region, StackName=name)["Stacks"]
    answer = aws.ask("cloudformation", "get_template", region=region, StackName=name, TemplateStage="Original")
    body = answer["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    return DeployedStack(name, account, region, bool(stack.get("EnableTerminationProtection")), template)


def write_assembly(stacks: list[DeployedStack], folder: Path) -> None:
    """As ``cdk synth`` would have written what is deployed."""
    artifacts: Json = {}
    for stack in stacks:
        file = f"{stack.region}-{stack.name}.template.json"
        (folder / file).write_text(json.dumps(stack.template))
        artifacts[f"{stack.region}-{stack.name}"] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{stack.account}/{stack.region}",
            "properties": {
                "templateFile": file,
                "stackName": stack.name,
                "terminationProtection": stack.protected,
            },
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "54.0.0", "artifacts": artifacts}))
