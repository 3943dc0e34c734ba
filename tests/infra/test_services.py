"""``service.toml`` is read strictly, and every process gets exactly what it names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.services import InvalidService, MissingValue, Service, read_service, read_services
from tests.infra.synth import ROOT

Write = Callable[..., Path]
BACKEND = (ROOT / "services" / "backend" / "service.toml").read_text()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the backend's description for a service of another name, with pieces of text replaced."""

    def _write(name: str, *changes: tuple[str, str]) -> Path:
        text = BACKEND
        for old, new in (('name = "backend"', f'name = "{name}"'), *changes):
            assert old in text
            text = text.replace(old, new)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "service.toml").write_text(text)
        return folder / "service.toml"

    return _write


def _calls(*names: str) -> tuple[str, str]:
    return 'services = ["ai_core"]', f"services = {list(names)}".replace("'", '"')


def _values(service: Service) -> dict[str, str]:
    tasks = [v for task in service.tasks.values() for v in task.variables.values()]
    return {v.source: f"<{v.source}>" for v in (*service.variables.values(), *service.secrets.values(), *tasks)}


def test_those_that_are_called_come_before_those_that_call() -> None:
    assert list(read_services()) == ["ai_core", "backend"]


def test_services_that_call_each_other_are_refused(write: Write, tmp_path: Path) -> None:
    write("one", _calls("two"))
    write("two", _calls("three"))
    write("three", _calls("one"))
    with pytest.raises(InvalidService, match="in a circle: one → two → three → one"):
        read_services(tmp_path)


def test_a_call_of_a_service_that_does_not_exist_is_refused(write: Write, tmp_path: Path) -> None:
    write("one", _calls("nobody"))
    with pytest.raises(InvalidService, match=r"one calls nobody, which has no service\.toml"):
        read_services(tmp_path)


def test_a_name_that_is_not_the_folders_is_refused(write: Write, tmp_path: Path) -> None:
    write("one", _calls()).parent.rename(tmp_path / "two")
    with pytest.raises(InvalidService, match="name is 'one', not 'two'"):
        read_services(tmp_path)


def test_all_that_is_wrong_in_a_description_is_said_in_one_go(write: Write) -> None:
    path = write(
        "one", ("port = 8443", "port = 80"), ("drain_seconds = 75", "drain_seconds = 5"), ("[size]", "[seize]")
    )
    with pytest.raises(InvalidService) as refused:
        read_service(path)
    message = str(refused.value)
    assert message.startswith(f"{path}:\n")
    assert "\n  port: Input should be greater than or equal to 1024" in message
    assert "\n  grace: Value error, deregistration_seconds < drain_seconds < stop_seconds must hold" in message
    assert "\n  size: Field required" in message
    assert "\n  seize: Extra inputs are not permitted" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"/openapi.json"]', '"/*"]', r"edge\.paths must not have /readyz"),
        ('"/openapi.json"]', '"/readyz"]', r"edge\.paths must not have /readyz"),
        ("public = true", "public = false", r"edge\.paths must be given where public is true, and left out where"),
        ('"/api/v1/*", ', "", r"edge\.words must be within edge\.paths, unlike /api/v1/auth/password, "),
        ('"/openapi.json"]', '"/openapi.json", "/4"]', r"edge\.paths: Tuple should have at most 3 items"),
    ],
)
def test_a_way_in_that_cannot_be_is_refused(write: Write, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidService, match=message):
        read_service(write("one", (old, new)))


def test_a_file_that_is_not_toml_is_named(write: Write) -> None:
    path = write("one", ("port = 8443", "port ="))
    with pytest.raises(InvalidService, match=r"one/service\.toml: Invalid value"):
        read_service(path)


def test_an_environment_has_the_variables_of_its_place_and_no_others() -> None:
    backend = read_services()["backend"]
    cloud, local = (backend.environment(where, _values(backend)) for where in ("cloud", "local"))
    assert "TLS_CERT_FILE" in local
    assert "TLS_CERT_FILE" not in cloud
    assert cloud["DATABASE_HOST"] == "<users.host>"
    assert set(cloud) < set(local)


def test_a_task_gets_its_own_variables_beside_the_services() -> None:
    backend = read_services()["backend"]
    service, migrate = (backend.environment("cloud", _values(backend), task) for task in (None, "migrate"))
    assert set(migrate) - set(service) == {"DATABASE_ADMIN_SECRET"}


def test_every_missing_value_is_named_and_an_optional_one_is_left_out() -> None:
    ai_core = read_services()["ai_core"]
    values = _values(ai_core)
    del values["model.name"], values["memory.url"], values["model.url"]
    with pytest.raises(MissingValue) as missing:
        ai_core.environment("cloud", values)
    assert "MODEL_NAME (from model.name)" in str(missing.value)
    assert "MEMORY_URL (from memory.url)" in str(missing.value)
    assert "MODEL_URL" not in str(missing.value)
    given = ai_core.environment("cloud", values | {"model.name": "a model", "memory.url": "https://memory"})
    assert "MODEL_URL" not in given


def test_what_is_optional_in_one_place_is_needed_in_the_other() -> None:
    ai_core = read_services()["ai_core"]
    values = {source: value for source, value in _values(ai_core).items() if source != "memory.auth"}
    assert "MEMORY_AUTH" not in ai_core.environment("local", values)
    with pytest.raises(MissingValue, match=r"MEMORY_AUTH \(from memory\.auth\)"):
        ai_core.environment("cloud", values)


def test_no_service_needs_an_injected_secret_in_the_cloud() -> None:
    for service in read_services().values():
        assert service.secret_sources("cloud", {}) == {}


def test_a_password_is_a_secret_on_one_machine() -> None:
    backend = read_services()["backend"]
    assert backend.secret_sources("local", _values(backend)) == {"DATABASE_PASSWORD": "<users.password>"}
    with pytest.raises(MissingValue, match="DATABASE_PASSWORD"):
        backend.secret_sources("local", {})


@pytest.mark.parametrize("service", read_services().values(), ids=lambda s: s.name)
def test_a_description_fits_fargate_and_its_own_folder(service: Service) -> None:
    assert (service.folder / service.module / "__init__.py").is_file()
    assert service.grace.stop_seconds <= 120
    assert service.size.memory_mib in range(service.size.cpu * 2, service.size.cpu * 8 + 1, 1024)
    for task in service.tasks.values():
        assert (service.folder / Path(*task.module.split("."))).with_suffix(".py").is_file()
