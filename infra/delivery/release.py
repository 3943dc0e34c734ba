"""The release before the one that runs, of each service that the last deployment changed, and the way back to it.

ECS keeps what it deployed: each deployment of a service with the revision of its task definition. CloudFormation takes
the revisions back that it no longer needs, and ECS then refuses them, so what goes back is a copy
(<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html>).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from botocore.model import StructureShape

from infra.preflight.aws import Aws, AwsError

Json = dict[str, Any]

ENDED: Final = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
"""States in which a deployment of a service is over."""
TAKEN_BACK: Final = "sanctum:taken-back"
"""Tag of a revision that went back: the revision that it took the place of."""


class CannotGoBack(Exception):
    """There is nothing to go back to, or it would not be safe."""


@dataclass(frozen=True, slots=True)
class Step:
    """One service, from the revision that runs to a copy of the one before; both as ARNs."""

    service: str
    family: str
    current: str
    previous: str


def steps_back(aws: Aws, cluster: str, *, since: datetime) -> list[Step]:
    """What to do for each service that was deployed at ``since`` or later; none where nothing was.

    Raises:
        CannotGoBack: a service is being deployed, is back already, or has no release before.
        AwsError: ECS does not answer, or may not be asked.
    """
    arns = aws.ask("ecs", "list_services", cluster=cluster)["serviceArns"]
    found = [_step(aws, cluster, arn.rpartition("/")[2], since) for arn in sorted(arns)]
    return [step for step in found if step]


def _step(aws: Aws, cluster: str, service: str, since: datetime) -> Step | None:
    deployments = _deployments(aws, cluster, service)
    if not deployments:
        raise CannotGoBack(f"{service} was never deployed")
    newest = deployments[0]
    if newest["status"] not in ENDED:
        raise CannotGoBack(f"a deployment of {service} is {newest['status']}: wait until it has ended")
    if newest["createdAt"] < since:
        return None
    earlier = [d for d in deployments if d["status"] == "SUCCESSFUL" and d["createdAt"] < since]
    if not earlier:
        raise CannotGoBack(f"{service} has no release before this one: it can only be deployed anew")
    (running,) = aws.ask("ecs", "describe_services", cluster=cluster, services=[service])["services"]
    current, previous = running["taskDefinition"], _revision(aws, earlier[0])
    family = previous.rpartition("/")[2].partition(":")[0]
    if taken := _taken_back(aws, current):
        raise CannotGoBack(
            f"{family} is back already, from {_short(taken)}: a release further back would not know the schema, which "
            "stays as the newest migrated it"
        )
    return None if current == previous else Step(service, family, current, previous)


def _deployments(aws: Aws, cluster: str, service: str) -> list[Json]:
    """Those of the last 90 days, which ECS keeps, the newest first."""
    found = list(_pages(aws, cluster, service))
    return sorted(found, key=lambda deployment: deployment["createdAt"], reverse=True)


def _pages(aws: Aws, cluster: str, service: str) -> Iterator[Json]:
    more: dict[str, str] = {}
    while True:
        page: Json = aws.ask("ecs", "list_service_deployments", cluster=cluster, service=service, **more)
        yield from page["serviceDeployments"]
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


def _revision(aws: Aws, deployment: Json) -> str:
    """The task definition of what was deployed."""
    arn = deployment["targetServiceRevisionArn"]
    (revision,) = aws.ask("ecs", "describe_service_revisions", serviceRevisionArns=[arn])["serviceRevisions"]
    return revision["taskDefinition"]


def _taken_back(aws: Aws, definition: str) -> str | None:
    tags = aws.ask("ecs", "describe_task_definition", taskDefinition=definition, include=["TAGS"]).get("tags", [])
    return next((tag["value"] for tag in tags if tag["key"] == TAKEN_BACK), None)


def copy_of(aws: Aws, step: Step) -> str:
    """A new revision that says what the previous one says, by its ARN; images are named by their content.

    Raises:
        CannotGoBack: an image of it is gone.
        AwsError: as ``steps_back``.
    """
    found = aws.ask("ecs", "describe_task_definition", taskDefinition=step.previous, include=["TAGS"])
    # What is described has more than what can be registered, such as its status.
    shape = cast("StructureShape", aws.client("ecs").meta.service_model.shape_for("RegisterTaskDefinitionRequest"))
    definition = {key: value for key, value in found["taskDefinition"].items() if key in shape.members}
    for container in definition["containerDefinitions"]:
        _look_for_image(aws, container["image"])
    tags = [*found.get("tags", []), {"key": TAKEN_BACK, "value": step.current}]
    made = aws.ask("ecs", "register_task_definition", **definition, tags=tags)
    return made["taskDefinition"]["taskDefinitionArn"]


def _look_for_image(aws: Aws, image: str) -> None:
    repository, _, tag = image.partition("/")[2].rpartition(":")
    try:
        aws.ask("ecr", "describe_images", repositoryName=repository, imageIds=[{"imageTag": tag}])
    except AwsError as error:
        if error.code != "ImageNotFoundException":
            raise
        raise CannotGoBack(f"the image {image} is gone: deploy the earlier commit anew") from error


def state_of(aws: Aws, cluster: str, step: Step, definition: str) -> tuple[str, str]:
    """How far the deployment of ``definition`` is, and why; PENDING before ECS knows of it."""
    newest = _deployments(aws, cluster, step.service)[0]
    if _revision(aws, newest) != definition:
        return "PENDING", ""
    return newest["status"], newest.get("statusReason", "")


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
