"""The AI core's tasks with a language model outside AWS: the service, and the task that prepares the memory."""

import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_logs as logs

from infra.compute.task_definition import TaskDefinition
from infra.services import read_services
from infra.settings import read_environment
from tests.infra.compute.test_outside_model import KEY, SECRET


def make(app: cdk.App) -> None:
    """One stack."""
    stack = cdk.Stack(app, "Test", env=cdk.Environment(account="111122223333", region="us-east-1"))
    folder = Path(tempfile.mkdtemp(dir=app.outdir))
    (folder / "Dockerfile").write_text("FROM scratch\n")
    ai_core, environment = read_services()["ai_core"], read_environment("dev")
    sources = {variable.source for variable in ai_core.variables.values()}
    for task in (None, "prepare_memory"):
        TaskDefinition(
            stack,
            task or "Task",
            environment=environment,
            service=ai_core,
            task=task,
            image=assets.DockerImageAsset(stack, f"{task}Image", directory=str(folder)),
            values=dict.fromkeys(sources, "x") | {"model.url": "https://model.example/v1", "model.api_key": SECRET},
            log_group=logs.LogGroup.from_log_group_name(stack, f"{task}Log", "log"),
            grants=[],
            secrets_key_arn=KEY,
        )
