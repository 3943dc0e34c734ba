"""``python -m infra.delivery.rollback ENV [--yes]`` (``make rollback ENV=…``).

Returns an environment to the release before, with the rights of whoever runs it, and without the pipeline:

* While the stack of the services is being updated, CloudFormation is told to give it up, and puts everything back.
* Where putting back failed, CloudFormation is told to go on with it.
* Otherwise each service that the last deployment changed gets the task definition that it had before, as any release
  takes over: task by task, and back by itself if it does not come up.

What the last migration did to the schema stays: migrations are such that one release before can live with it, so no
more than one release back is offered. Ends with 0 when the release before runs, with 1 when it does not, and with 2
when nothing was done.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import boto3

from infra.delivery.credentials import WrongAccount, in_account
from infra.delivery.release import ENDED, CannotGoBack, Step, copy_of, state_of, steps_back
from infra.preflight.aws import Aws, AwsError
from infra.services import read_services
from infra.settings import Environment, InvalidSettings, read_environment

BACK: Final = 0
NOT_BACK: Final = 1
NOTHING_DONE: Final = 2

PATIENCE: Final = 3600
"""Seconds until a way back is given up on: a canary and a blue/green deployment bake for twice ten minutes."""
PAUSE: Final = 10
SETTLED: Final = frozenset({"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"})
ENDED_BACK: Final = frozenset({"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"})


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """One way back; ``ask`` gets the consent, and ``wait`` lets seconds pass."""

    environment: Environment
    aws: Aws
    ask: Callable[[str], bool]
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def stack(self) -> str:
        """The one with the services."""
        return f"{self.environment.name}-Compute"

    def run(self) -> int:
        """Go back, and return what the process ends with.

        Raises:
            CannotGoBack: there is nothing to go back to, or it would not be safe; nothing was changed.
            AwsError: AWS does not answer, or may not be asked.
        """
        status, since = self._status()
        if status == "UPDATE_IN_PROGRESS":
            return self._through_cloudformation(
                "cancel_update_stack", f"{self.stack} is being updated: CloudFormation gives it up and puts it back"
            )
        if status == "UPDATE_ROLLBACK_FAILED":
            return self._through_cloudformation(
                "continue_update_rollback", f"{self.stack} is half way back: CloudFormation goes on with it"
            )
        if status == "UPDATE_ROLLBACK_COMPLETE":
            raise CannotGoBack(
                f"{self.stack} went back by itself: the release before runs, and one further back would not know the "
                "schema, which stays as the newest migrated it"
            )
        if status not in SETTLED:
            raise CannotGoBack(f"{self.stack} is {status}: wait until that has ended")
        return self._service_by_service(since)

    def _status(self) -> tuple[str, datetime]:
        (stack,) = self.aws.ask("cloudformation", "describe_stacks", StackName=self.stack)["Stacks"]
        return stack["StackStatus"], stack.get("LastUpdatedTime", stack["CreationTime"])

    def _through_cloudformation(self, operation: str, plan: str) -> int:
        if not self.ask(f"{plan}."):
            return NOTHING_DONE
        self.aws.ask("cloudformation", operation, StackName=self.stack)
        status = self._until(lambda: self._status()[0], ENDED_BACK)
        _say(f"{self.stack} is {status}")
        return BACK if status == "UPDATE_ROLLBACK_COMPLETE" else NOT_BACK

    def _service_by_service(self, since: datetime) -> int:
        cluster = self.environment.resource_name()
        steps = steps_back(self.aws, cluster, since=since)
        if not steps:
            raise CannotGoBack(f"the last deployment of {self.stack}, of {since:%Y-%m-%d %H:%M %Z}, changed no service")
        # Who calls goes back before who is called: as in a deployment, where who is called comes first.
        order = [self.environment.resource_name(name) for name in reversed(read_services())]
        steps.sort(key=lambda step: order.index(step.family))
        plan = "\n".join(
            f"  {step.family}: from {_revision(step.current)} to {_revision(step.previous)}" for step in steps
        )
        if not self.ask(f"Services that the deployment of {since:%Y-%m-%d %H:%M %Z} changed go back:\n{plan}"):
            return NOTHING_DONE
        copies = [(step, copy_of(self.aws, step)) for step in steps]
        for step, definition in copies:
            if not self._go_back(cluster, step, definition):
                return NOT_BACK
        _say(
            "Now revert the commit: the branch still has it. CloudFormation believes that it is deployed, so that a "
            "deployment brings it back if it changes these services, or fails."
        )
        return BACK

    def _go_back(self, cluster: str, step: Step, definition: str) -> bool:
        self.aws.ask("ecs", "update_service", cluster=cluster, service=step.service, taskDefinition=definition)
        _say(f"{step.family}: {_revision(definition)}, a copy of {_revision(step.previous)}, takes over …")
        why = ""

        def state() -> str:
            nonlocal why
            found, why = state_of(self.aws, cluster, step, definition)
            return found

        status = self._until(state, ENDED)
        _say(f"{step.family}: {status} {why}".rstrip())
        return status == "SUCCESSFUL"

    def _until(self, state: Callable[[], str], ends: frozenset[str]) -> str:
        """The state that it ends in, or the last one when patience does."""
        end = self.clock() + PATIENCE
        while (found := state()) not in ends and self.clock() < end:
            self.wait(PAUSE)
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what would be done, ask, do it, and return what the process ends with."""
    parser = argparse.ArgumentParser(prog="python -m infra.delivery.rollback", description=__doc__)
    parser.add_argument("environment", help="name of a file in environments/")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)

    def consent(plan: str) -> bool:
        _say(f"{options.environment}: {plan}")
        return options.yes or input(f"Type {options.environment} to go back: ") == options.environment

    try:
        environment = read_environment(options.environment)
        aws = in_account(environment.account, boto3.Session())
        return Rollback(environment=environment, aws=aws, ask=consent).run()
    except (AwsError, CannotGoBack, EOFError, InvalidSettings, WrongAccount) as error:
        print(f"{options.environment}: {error}", file=sys.stderr)  # noqa: T201  # a command's answer
        return NOTHING_DONE


def _revision(arn: str) -> str:
    return arn.rpartition("/")[2]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's answer


if __name__ == "__main__":
    sys.exit(main())
