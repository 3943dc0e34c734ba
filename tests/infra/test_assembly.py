"""The output as a whole: valid, the same everywhere, and free of what does not belong in it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from infra.settings import read_environments
from tests.infra.conftest import INPUTS
from tests.infra.synth import ROOT, synthesize
from tests.infra.template import Template, strings

ENVIRONMENTS = {e.name: e for e in read_environments()}


def _files(assembly: Path) -> dict[str, bytes]:
    return {str(p.relative_to(assembly)): p.read_bytes() for p in assembly.rglob("*") if p.is_file()}


def test_every_environment_has_its_stacks(templates: dict[tuple[str, str], Template]) -> None:
    assert set(templates) == {(e, s) for e in ENVIRONMENTS for s in ("Network", "Operations", "Data", "Compute")}


def test_the_templates_are_valid_cloudformation(assembly: Path) -> None:
    report = json.loads((assembly / "validation-report.json").read_text())
    (plugin,) = report["pluginReports"]
    assert (plugin["conclusion"], plugin["violations"]) == ("success", [])
    assert {(f["ruleName"], bool(f["reason"])) for f in plugin["suppressedViolations"]} == {("W3010", True)}


def test_two_synths_in_two_places_write_the_same_bytes(assembly: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another folder"
    elsewhere.mkdir()
    for name in INPUTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, elsewhere / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, elsewhere / name)
    other = {"TZ": "Asia/Tokyo", "LANG": "C", "PYTHONHASHSEED": "7"}
    synth = synthesize(elsewhere, tmp_path / "out", other, validate=False)  # most of a synth's time, and no output
    assert synth.returncode == 0, synth.stderr
    here, there = _files(assembly), _files(tmp_path / "out")
    assert set(here) - set(there) <= {"validation-report.json"}
    assert [name for name in there if here.get(name) != there[name]] == []


def test_wrong_settings_end_a_synth_with_what_is_wrong_and_no_traceback(tmp_path: Path) -> None:
    shutil.copy(ROOT / "cdk.json", tmp_path)
    shutil.copy(ROOT / "app.py", tmp_path)
    for name in ("infra", "services", "environments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    dev = tmp_path / "environments" / "dev.toml"
    dev.write_text(dev.read_text().replace("nodes = 2", "nodes = 3"))
    synth = synthesize(tmp_path, tmp_path / "out", {})
    assert synth.returncode != 0
    assert "nodes = 3 must be a multiple of the 2 zones" in synth.stderr
    assert "Traceback" not in synth.stderr


def test_no_template_depends_on_the_machine_or_the_moment_it_was_made(
    templates: dict[tuple[str, str], Template],
) -> None:
    noise = re.compile(rf"dummy1|{re.escape(str(ROOT))}|/tmp/|\bTOKEN\[|\$\{{Token\[")
    for template in templates.values():
        assert [s for s in strings(template.body) if noise.search(s)] == []


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_a_template_names_no_account_but_its_own(name: str, templates: dict[tuple[str, str], Template]) -> None:
    others = {e.account.id for e in ENVIRONMENTS.values()} - {ENVIRONMENTS[name].account.id}
    for (environment, _), template in templates.items():
        if environment == name:
            assert [s for s in strings(template.body) if any(other in s for other in others)] == []


def test_no_template_holds_a_secret(templates: dict[tuple[str, str], Template]) -> None:
    form = re.compile(r"PRIVATE KEY|AKIA[0-9A-Z]{16}|resolve:secretsmanager|(password|secret)=", re.IGNORECASE)
    for template in templates.values():
        assert [s for s in strings(template.body) if form.search(s)] == []
        for resource in template.resources().values():
            assert {"MasterUserPassword", "SecretString"} & set(resource.get("Properties", {})) == set()


def test_an_image_context_holds_one_service_and_the_chassis(assembly: Path) -> None:
    contexts = [p.parent for p in assembly.glob("asset.*/.dockerignore")]
    kept = {frozenset(p.name for p in context.iterdir() if p.is_dir()) for context in contexts}
    assert kept == {frozenset({"backend", "chassis"}), frozenset({"ai_core", "chassis"})}
    unwanted = {"service.toml", "requirements.in", "__pycache__"}
    stray = [p for c in contexts for p in c.rglob("*") if p.name in unwanted]
    assert stray == []
