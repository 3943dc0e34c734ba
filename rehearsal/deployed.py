"""What is deployed, as the emulator's API says."""

from typing import Any, cast

import boto3

from local.failure import Failure
from rehearsal.emulator import aws
from rehearsal.settings import STAGE, environment

CLUSTER = f"sanctum-{STAGE}"


def client(service: str, account: str = "", region: str = "") -> Any:
    """A client of the emulator's ``service``, in the environment's account and region unless another is said."""
    told = aws(account)
    return cast("Any", boto3).client(
        service,
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=region or told["AWS_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )


def make_zone() -> str:
    """The id of a hosted zone for the environment's public name."""
    name = environment().web.domain.partition(".")[2]
    made = client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return made["HostedZone"]["Id"].removeprefix("/hostedzone/")


def tasks() -> dict[str, set[str]]:
    """The tasks that run, by their service's name."""
    ecs = client("ecs")
    arns: list[str] = ecs.list_tasks(cluster=CLUSTER)["taskArns"]
    described: list[dict[str, Any]] = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    found: dict[str, set[str]] = {}
    for task in described:
        if task["lastStatus"] == "RUNNING":
            found.setdefault(task["group"].removeprefix("service:"), set()).add(task["taskArn"])
    return found


def replacing() -> bool:
    """Whether a service is having its tasks replaced."""
    ecs = client("ecs")
    names = ecs.list_services(cluster=CLUSTER)["serviceArns"]
    services = ecs.describe_services(cluster=CLUSTER, services=names)["services"]
    return any(len(service["deployments"]) > 1 for service in services)


def expect_status(stack: str, status: str) -> None:
    """Hold that a stack is in a state.

    Raises:
        Failure: it is in another.
    """
    (found,) = client("cloudformation").describe_stacks(StackName=f"{STAGE}-{stack}")["Stacks"]
    if found["StackStatus"] != status:
        raise Failure(f"{stack} is {found['StackStatus']}, not {status}")


def why_failed(stack: str) -> str:
    """What CloudFormation says failed in the last deployment of a stack, the first of it."""
    events = client("cloudformation").describe_stack_events(StackName=f"{STAGE}-{stack}")["StackEvents"]
    failed = [row for row in events if row["ResourceStatus"].endswith("FAILED") and "ResourceStatusReason" in row]
    # Of a reason of several lines the others are where in a program of the library it was noticed.
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1]['ResourceStatusReason'].splitlines()[0]}" if failed else ""


def logged(service: str, task: str, word: str) -> str:
    """The last line with ``word`` that a one-off task of a service wrote, as CloudWatch Logs has it."""
    logs, group = client("logs"), f"/sanctum/{STAGE}/{service}"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{task}/")["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    lines: list[dict[str, Any]] = []
    if names:
        lines = logs.filter_log_events(logGroupName=group, logStreamNames=names)["events"]
    lines = sorted((line for line in lines if word in line["message"]), key=lambda line: line["timestamp"])
    return str(lines[-1]["message"]) if lines else ""


def left() -> list[str]:
    """The stacks that there are."""
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    return sorted(row["StackName"] for row in stacks if row["StackStatus"] != "DELETE_COMPLETE")
