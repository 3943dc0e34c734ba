"""An account in which two services were released, as AWS tells of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.settings import read_environment
from tests.infra.preflight.recorded import Answer, Answers, Refused

PROD = read_environment("prod")
ARN = f"arn:aws:ecs:{PROD.account.region}:{PROD.account.id}"
UPDATED = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REPOSITORY = f"cdk-hnb659fds-container-assets-{PROD.account.id}-{PROD.account.region}"

Json = dict[str, Any]


def definition(name: str) -> str:
    """The ARN of a task definition, by service and revision."""
    return f"{ARN}:task-definition/sanctum-prod-{name}"


@dataclass
class Cloud:
    """The stack, and two services: the newest release, of ``UPDATED``, changed the backend alone."""

    status: list[str] = field(default_factory=lambda: ["UPDATE_COMPLETE"])
    """Of the stack: what it is one question after another; the last one stays."""
    ends: str = "SUCCESSFUL"
    """What becomes of a deployment."""
    images: bool = True
    done: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    services: dict[str, list[tuple[datetime, str, str]]] = field(
        default_factory=lambda: {
            "backend": [
                (UPDATED + timedelta(minutes=4), "SUCCESSFUL", definition("backend:9")),
                (UPDATED - 2 * DAY, "ROLLBACK_SUCCESSFUL", definition("backend:8")),
                (UPDATED - 5 * DAY, "SUCCESSFUL", definition("backend:7")),
                (UPDATED - 9 * DAY, "SUCCESSFUL", definition("backend:6")),
            ],
            "ai_core": [
                (UPDATED - 5 * DAY, "SUCCESSFUL", definition("ai-core:4")),
                (UPDATED - 9 * DAY, "SUCCESSFUL", definition("ai-core:3")),
            ],
        }
    )
    """When each was deployed, what came of it, and which task definition; the newest first."""
    tags: dict[str, Json] = field(default_factory=dict[str, Json])

    def answers(self) -> Answers:
        """What AWS answers."""
        return {
            "sts.GetCallerIdentity": {"Account": PROD.account.id},
            "cloudformation.DescribeStacks": self._stack,
            "cloudformation.CancelUpdateStack": self._does("cancel"),
            "cloudformation.ContinueUpdateRollback": self._does("continue"),
            "ecs.ListServices": {"serviceArns": [f"{ARN}:service/sanctum-prod/{name}" for name in self.services]},
            "ecs.ListServiceDeployments": self._deployments,
            "ecs.DescribeServiceRevisions": self._revision,
            "ecs.DescribeServices": self._service,
            "ecs.DescribeTaskDefinition": self._described,
            "ecs.RegisterTaskDefinition": self._register,
            "ecs.UpdateService": self._update,
            "ecr.DescribeImages": {} if self.images else Refused("ImageNotFoundException: gone"),
        }

    def _does(self, what: str) -> Any:
        def do(_: str, asked: Json) -> Answer:
            self.done.append((what, asked))
            return {}

        return do

    def _stack(self, _: str, asked: Json) -> Answer:
        assert asked == {"StackName": "prod-Compute"}
        status = self.status.pop(0) if len(self.status) > 1 else self.status[0]
        stack = {"StackName": "prod-Compute", "StackStatus": status, "CreationTime": UPDATED - 99 * DAY}
        return {"Stacks": [stack | {"LastUpdatedTime": UPDATED}]}

    def _deployments(self, _: str, asked: Json) -> Answer:
        """Two a page, and the oldest first."""
        found = [
            {"createdAt": when, "status": status, "targetServiceRevisionArn": f"revision of {definition}"}
            for when, status, definition in reversed(self.services[asked["service"]])
        ]
        start = int(asked.get("nextToken", 0))
        more = {"nextToken": str(start + 2)} if start + 2 < len(found) else {}
        return {"serviceDeployments": found[start : start + 2]} | more

    def _revision(self, _: str, asked: Json) -> Answer:
        (arn,) = asked["serviceRevisionArns"]
        return {"serviceRevisions": [{"taskDefinition": arn.removeprefix("revision of ")}]}

    def _service(self, _: str, asked: Json) -> Answer:
        (name,) = asked["services"]
        running = next(d for _, status, d in self.services[name] if status == "SUCCESSFUL")
        return {"services": [{"taskDefinition": running}]}

    def _described(self, _: str, asked: Json) -> Answer:
        arn = asked["taskDefinition"]
        family, number = arn.rpartition("/")[2].split(":")
        image = f"{PROD.account.id}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:{family}-{number}"
        definition = {
            "taskDefinitionArn": arn,
            "family": family,
            "revision": int(number),
            "status": "INACTIVE",
            "cpu": "512",
            "containerDefinitions": [{"name": family, "image": image}],
        }
        return {"taskDefinition": definition, "tags": [self.tags[arn]] if arn in self.tags else []}

    def _register(self, _: str, asked: Json) -> Answer:
        self.done.append(("register", asked))
        return {"taskDefinition": {"taskDefinitionArn": f"{ARN}:task-definition/{asked['family']}:100"}}

    def _update(self, _: str, asked: Json) -> Answer:
        self.done.append(("update", asked))
        deployment = (UPDATED + DAY, self.ends, asked["taskDefinition"])
        self.services[asked["service"]].insert(0, deployment)
        return {}
