"""Environments to ask for, and accounts to ask."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import BaseModel

from infra.delivery.settings import Pipeline, read_pipeline
from infra.preflight.answers import Answer, State
from infra.preflight.aws import Aws
from infra.preflight.check import Check, Inquiry
from infra.preflight.checks import CHECKS
from infra.preflight.run import answers_of
from infra.services import read_services
from infra.settings import Environment, read_environments
from tests.infra.preflight.recorded import Json, RecordedSession, Refused

if TYPE_CHECKING:
    import boto3

ENVIRONMENTS = {environment.name: environment for environment in read_environments()}
PIPELINE = cast("Pipeline", read_pipeline(list(ENVIRONMENTS.values())))
BY_TITLE = {check.title: check for check in CHECKS}
SERVICES = read_services()


def changed(name: str, settings: Mapping[str, object]) -> Environment:
    """The environment ``name`` with some settings changed, each as ``table.key``; not validated."""

    def change(model: BaseModel, path: list[str], value: object) -> BaseModel:
        key, *deeper = path
        inner = change(getattr(model, key), deeper, value) if deeper else value
        return model.model_copy(update={key: inner})

    environment: BaseModel = ENVIRONMENTS[name]
    for key, value in settings.items():
        environment = change(environment, key.split("."), value)
    return cast("Environment", environment)


def inquiry(
    session: object,
    environment: Environment,
    *,
    pipeline: Pipeline | None = PIPELINE,
    fix: bool = False,
    wait: Callable[[float], None] = lambda _: None,
    servers: set[str] | None = None,
) -> Inquiry:
    """What a check is asked with; nothing of it leaves the process."""
    aws = Aws(environment.account.region, cast("boto3.Session", session))
    return Inquiry(environment, SERVICES, aws, pipeline, fix, wait, lambda _: servers)


Ask = Callable[..., list[Answer]]


@pytest.fixture
def ask() -> Ask:
    """Ask one check, by its title, of an account with recorded answers."""

    def _ask(
        title: str,
        answers: Mapping[str, Json | Refused],
        *,
        of: str = "prod",
        settings: Mapping[str, object] | None = None,
        **more: object,
    ) -> list[Answer]:
        check: Check[Inquiry] = BY_TITLE[title]
        asked = inquiry(RecordedSession(answers), changed(of, settings or {}), **more)  # pyright: ignore[reportArgumentType]  # as inquiry takes it
        return answers_of(check, asked)

    return _ask


def states(answers: list[Answer]) -> set[State]:
    return {answer.state for answer in answers}
