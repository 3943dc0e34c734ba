"""Promises of the pipeline: as those of an environment, over the stacks that belong to none."""

from collections.abc import Callable
from typing import cast

import pytest

from infra.settings import Environment
from tests.infra.promise import Check, Mutation, Stacks, keep_or_break
from tests.infra.template import Template


def pipeline_stacks(application: dict[str, Template]) -> Stacks:
    """The stacks of the pipeline, which have no settings of an environment."""
    own = {name: template for name, template in application.items() if name.startswith("pipeline")}
    return Stacks(cast("Environment", None), own)


def pipeline_promise(**mutations: Mutation) -> Callable[[Check], Callable[..., None]]:
    """Make a test of ``check``, which asserts something of the pipeline's stacks and fails after each mutation."""

    def made(check: Check) -> Callable[..., None]:
        @pytest.mark.parametrize("mutation", [None, *mutations])
        def test(mutation: str | None, application: dict[str, Template]) -> None:
            keep_or_break(check, pipeline_stacks(application), mutations[mutation] if mutation else None)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return made
