"""ECS: which resource a right to a call about tasks is asked for; MiniStack takes the cluster for it."""

import json
from typing import Any

from rehearsal.plugin import ministack


def install() -> None:
    """Have the task definition be it, or the task (Service Authorization Reference, Amazon ECS)."""
    actions = ministack.module("core.iam_actions")
    resource_of = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        own = _own(headers.get("x-amz-target", ""), json.loads(body or b"{}")) if service == "ecs" else ""
        return own or resource_of(service, method, path, headers, body, *rest)

    actions.extract_resource_arn = resource


def _own(target: str, asked: dict[str, Any]) -> str:
    if target.endswith(".RunTask"):
        definition = asked["taskDefinition"]
        return definition if definition.startswith("arn:") else ministack.arn("ecs", f"task-definition/{definition}")
    if target.endswith((".DescribeTasks", ".StopTask")):
        task = (asked.get("tasks") or [asked.get("task", "")])[0]
        cluster = asked.get("cluster", "default").rsplit("/", 1)[-1]
        return task if task.startswith("arn:") else ministack.arn("ecs", f"task/{cluster}/{task}")
    return ""
