"""People on one machine have dev's limits, or those of the environment that is named."""

from pathlib import Path

import pytest

from infra.settings import read_environment
from local.sanctum import Sanctum
from local.state import State


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_backend_is_told_the_limits_of_the_environment_that_is_named(environment: str, tmp_path: Path) -> None:
    wanted = read_environment(environment).limits.requests_per_second_per_person
    sanctum = Sanctum(State(tmp_path), 8443, limits_of=environment)
    told = sanctum._values["settings.requests_per_second_per_person"]  # pyright: ignore[reportPrivateUsage] - what every process is told
    assert told == str(wanted)
    assert read_environment("dev").limits != read_environment("prod").limits
