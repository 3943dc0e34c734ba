"""What a commit changes is what it deploys, and nothing beside it."""

import shutil
from pathlib import Path

import pytest

from tests.infra.conftest import INPUTS
from tests.infra.synth import ROOT, synthesize_quickly
from tests.infra.template import Json, Template, read_application, read_assembly, strings

pytestmark = [pytest.mark.again, pytest.mark.xdist_group("change of a service")]  # one synth for all of them


@pytest.fixture(scope="module")
def with_another_backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synth of the same, but for one byte of the backend."""
    copy = tmp_path_factory.mktemp("copy")
    for name in INPUTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    with (copy / "services" / "backend" / "backend" / "__init__.py").open("a") as file:
        file.write("\n")
    out = copy.with_name("changed")
    made = synthesize_quickly(copy, out, {})
    assert made.returncode == 0, made.stderr
    return out


def _changed(before: Template, after: Template) -> set[str]:
    """Resources of either that are not the same in both; and every other section that is not."""
    old, new = before.body["Resources"], after.body["Resources"]
    resources = {_called(k, new.get(k, old.get(k))) for k in {*old, *new} if old.get(k) != new.get(k)}
    sections = {s for s in {*before.body, *after.body} - {"Resources"} if before.body.get(s) != after.body.get(s)}
    return resources | sections


def _called(logical_id: str, resource: Json) -> str:
    return resource.get("Metadata", {}).get("aws:cdk:path", logical_id).removesuffix("/Resource")


def test_a_change_of_one_service_deploys_that_service_alone(
    templates: dict[tuple[str, str], Template], with_another_backend: Path
) -> None:
    """With its one-off tasks, which run the same image, before it."""
    after = read_assembly(with_another_backend)
    assert set(after) == set(templates)
    for (environment, stack), template in templates.items():
        changed = _changed(template, after[environment, stack])
        if stack != "Compute":
            assert changed == set(), (environment, stack)
            continue
        own = {path.partition("/Compute/")[2] for path in changed}
        assert own >= {"backend/Task", "backend/migrate"}, environment
        assert {path.partition("/")[0] for path in own} == {"backend"}, environment
        types = {r["Type"] for k, r in template.resources().items() if _called(k, r) in changed}
        assert types == {"AWS::ECS::TaskDefinition"}, environment


def test_a_change_of_a_service_does_not_change_the_pipeline_nor_what_guards_an_account(
    application: dict[str, Template], with_another_backend: Path
) -> None:
    after = read_application(with_another_backend)
    assert set(after) == set(application)
    for name, template in application.items():
        assert _changed(template, after[name]) == set(), name


def test_who_is_unchanged_keeps_the_image_that_is_there(
    templates: dict[tuple[str, str], Template], with_another_backend: Path
) -> None:
    after = read_assembly(with_another_backend)
    for (environment, stack), template in templates.items():
        if stack == "Compute":
            before, now = (
                {
                    name: {
                        s for d in t.properties("AWS::ECS::TaskDefinition") if name in d["Family"] for s in _images(d)
                    }
                    for name in ("backend", "ai-core")
                }
                for t in (template, after[environment, stack])
            )
            assert now["ai-core"] == before["ai-core"] != set()
            assert not now["backend"] & before["backend"]


def _images(definition: Json) -> set[str]:
    return {
        text for container in definition["ContainerDefinitions"] for text in strings(container["Image"]) if ":" in text
    }
