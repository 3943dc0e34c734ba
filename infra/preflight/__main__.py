"""``python -m infra.preflight ENV [--fix] [--json]``.

Ends with 1 when something is bad and with 0 otherwise: what is not known is said, and does not stop a deployment.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from infra.delivery.settings import read_pipeline
from infra.preflight.answers import Answer, State
from infra.preflight.aws import Aws
from infra.preflight.check import Check, Inquiry, Located, PipelineInquiry
from infra.preflight.checks import CHECKS, CREDENTIALS, PIPELINE_CHECKS
from infra.preflight.run import answers_of, ask_all
from infra.services import InvalidService, read_services
from infra.settings import PIPELINE, InvalidSettings, read_environment, read_environments

AnyInquiry = TypeVar("AnyInquiry", bound=Located)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, say what came out, and return what the process ends with."""
    parser = argparse.ArgumentParser(prog="python -m infra.preflight", description=__doc__)
    parser.add_argument("environment", help="name of a file in environments/; pipeline is one too")
    parser.add_argument("--fix", action="store_true", help="make the service-linked roles that are missing")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
    options = parser.parse_args(arguments)
    say = _Report(as_json=options.json)
    try:
        environments, services = read_environments(), read_services()
        pipeline = read_pipeline(environments)
        if pipeline and options.environment == PIPELINE:
            region = pipeline.account.region
            return _report(say, PIPELINE_CHECKS, PipelineInquiry(pipeline, Aws(region), environments))
        environment = read_environment(options.environment)
    except (InvalidSettings, InvalidService) as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command's answer
        return 1
    aws = Aws(environment.account.region)
    return _report(say, CHECKS, Inquiry(environment, services, aws, pipeline, fix=options.fix))


def _report(say: "_Report", checks: Iterable[Check[AnyInquiry]], inquiry: AnyInquiry) -> int:
    say.answers(CREDENTIALS.title, answers_of(CREDENTIALS, inquiry))
    if not say.found[State.BAD] and not say.found[State.UNKNOWN]:
        for check, answers in ask_all(checks, inquiry):
            say.answers(check.title, answers)
    say.summary(inquiry.place.name)
    return 1 if say.found[State.BAD] or not say.found[State.GOOD] else 0


class _Report:
    """Prints answers as they come, and in the end what is to be done."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.found: dict[State, list[tuple[str, Answer]]] = {state: [] for state in State}

    def answers(self, title: str, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self.found[answer.state].append((title, answer))
            if self._as_json:
                line = {"check": title, "state": answer.state, "text": answer.text, "remedy": answer.remedy}
                print(json.dumps(line), flush=True)  # noqa: T201  # a command's answer
            else:
                print(f"{answer.state:<9}  {title}: {answer.text}", flush=True)  # noqa: T201  # a command's answer

    def summary(self, environment: str) -> None:
        if self._as_json:
            return
        for state, head in ((State.BAD, "To do before a deployment"), (State.UNKNOWN, "Not known")):
            remedies = [(title, answer) for title, answer in self.found[state] if answer.remedy]
            if remedies:
                print(f"\n{head}:")  # noqa: T201  # a command's answer
            for title, answer in remedies:
                print(f"  {title}: {answer.remedy}")  # noqa: T201  # a command's answer
        counts = ", ".join(f"{len(self.found[state])} {state}" for state in State)
        print(f"\n{environment}: {counts}")  # noqa: T201  # a command's answer


if __name__ == "__main__":
    sys.exit(main())
