"""The function behind the custom resource: starts a task, and tells whether it has ended well.

CloudFormation calls it again with the earlier task definition when it rolls back; a task has to take a store that is
newer than itself for done.
"""

from typing import Any, cast

import boto3


class TaskFailed(RuntimeError):
    """The task could not be started, or did not end with exit code 0; ends the deployment."""


def start(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start the task; ``is_done`` gets what this returns, beside the event.

    Raises:
        TaskFailed: ECS would not start it.
    """
    properties, request = event["ResourceProperties"], event["RequestType"]
    result = {"PhysicalResourceId": event["LogicalResourceId"]}
    if request == "Delete" or (request == "Update" and properties["When"] == "first"):
        return result
    answer = _ecs().run_task(
        cluster=properties["Cluster"],
        taskDefinition=properties["TaskDefinition"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": properties["Subnets"],
                "securityGroups": [properties["SecurityGroup"]],
                "assignPublicIp": "DISABLED",
            }
        },
        clientToken=event["RequestId"],  # the function may be called twice for one request
    )
    if answer["failures"]:
        raise TaskFailed(f"{properties['TaskDefinition']} was not started: {answer['failures'][0].get('reason')}")
    return result | {"Data": {"TaskArn": answer["tasks"][0]["taskArn"]}}


def is_done(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Whether the task has ended.

    Raises:
        TaskFailed: it has, and not well.
    """
    task_arn = event.get("Data", {}).get("TaskArn")
    if not task_arn:
        return {"IsComplete": True}
    cluster = event["ResourceProperties"]["Cluster"]
    answer = _ecs().describe_tasks(cluster=cluster, tasks=[task_arn])
    if not answer["tasks"]:
        raise TaskFailed(f"{task_arn} is not known: {answer['failures']}")
    task = answer["tasks"][0]
    if task["lastStatus"] != "STOPPED":
        return {"IsComplete": False}
    codes = [container.get("exitCode") for container in task["containers"]]
    if any(code != 0 for code in codes):
        raise TaskFailed(f"{task_arn} ended with {codes}: {task.get('stoppedReason')}. Its log has the reason.")
    return {"IsComplete": True}


def _ecs() -> Any:
    return cast("Any", boto3).client("ecs")  # no types of it in this environment
