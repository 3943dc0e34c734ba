"""Each ``service.toml`` against the settings classes that read the variables: one missed in either place shows here."""

from typing import Any

import ai_core.settings
import backend.settings
import pytest
from pydantic_settings import BaseSettings

from infra.services import Service, Variable, Where, read_services

Kinds = tuple[type[BaseSettings], ...]

PROCESSES: dict[tuple[str, str | None], Kinds] = {
    ("ai_core", None): (ai_core.settings.Settings, ai_core.settings.DatabaseSettings),
    ("ai_core", "prepare_memory"): (ai_core.settings.MemorySettings, ai_core.settings.PrepareMemorySettings),
    ("backend", None): (backend.settings.Settings,),
    ("backend", "migrate"): (backend.settings.MigrationSettings,),
    ("backend", "prepare_keys"): (backend.settings.EpochSettings,),
    ("backend", "rotate_keys"): (backend.settings.KeySettings,),
    ("backend", "roll_keys"): (backend.settings.RollSettings,),
}
ONLY_LOCAL = (ai_core.settings.DatabaseSettings, ai_core.settings.PrepareMemorySettings)
"""Read where the memory is pgvector; in the cloud it is OpenSearch."""

SERVICES = read_services()
each_process = pytest.mark.parametrize(("name", "task"), PROCESSES)


def given(service: Service, task: str | None) -> dict[str, Variable]:
    """All variables that a process of ``service`` finds in its environment."""
    return service.variables | service.secrets | (service.tasks[task].variables if task else {})


def read(kinds: Kinds) -> dict[str, Any]:
    """All variables that ``kinds`` read."""
    return {name.upper(): field for kind in kinds for name, field in kind.model_fields.items()}


def test_every_process_of_every_service_is_held_to_its_description() -> None:
    assert set(PROCESSES) == {(s.name, task) for s in SERVICES.values() for task in (None, *s.tasks)}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_the_variables_of_its_description_and_no_others(name: str) -> None:
    assert set(read(PROCESSES[name, None])) == set(given(SERVICES[name], None))


@each_process
def test_a_task_reads_what_it_is_given(name: str, task: str | None) -> None:
    service = SERVICES[name]
    reads = set(read(PROCESSES[name, task]))
    assert reads <= set(given(service, task))
    assert set(service.tasks[task].variables if task else ()) <= reads


@each_process
@pytest.mark.parametrize("where", ["cloud", "local"])
def test_what_may_be_missing_has_a_default(name: str, task: str | None, where: Where) -> None:
    kinds = tuple(kind for kind in PROCESSES[name, task] if where == "local" or kind not in ONLY_LOCAL)
    variables = given(SERVICES[name], task)
    certain = {
        n for n, variable in variables.items() if variable.where in (None, where) and not variable.may_be_missing(where)
    }
    required = {variable for variable, field in read(kinds).items() if field.is_required()}
    assert required <= certain
