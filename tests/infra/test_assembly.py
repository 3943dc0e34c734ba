"""The output as a whole: valid, the same everywhere, and free of what does not belong in it."""

import functools
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.settings import read_environments
from tests.infra.conftest import kept
from tests.infra.synth import CDK, CLOSED, NODE, ROOT, synthesize_quickly
from tests.infra.template import Json, Template, strings

ENVIRONMENTS = {e.name: e for e in read_environments()}


def _files(assembly: Path) -> dict[str, bytes]:
    """Every file; without what is not deployed: accepted findings, and the lock of who reads just now."""
    paths = [p for p in assembly.rglob("*") if p.is_file() and p.suffix != ".lock"]
    files = {str(p.relative_to(assembly)): p.read_bytes() for p in paths}
    for name, content in files.items():
        if name.endswith(".metadata.json"):
            files[name] = json.dumps(_without_acknowledgements(json.loads(content))).encode()
    return files


def _without_acknowledgements(metadata: Json) -> Json:
    kept = {
        path: [e for e in entries if e["type"] != "aws:cdk:acknowledged-rules"] for path, entries in metadata.items()
    }
    return {path: entries for path, entries in kept.items() if entries}


def test_every_environment_has_its_stacks(templates: dict[tuple[str, str], Template]) -> None:
    own = {(e, s) for e in ENVIRONMENTS for s in ("Network", "Operations", "Data", "Compute")}
    copies = {(name, "BackupCopy") for name, e in ENVIRONMENTS.items() if e.backup.copy_region}
    assert set(templates) == own | copies


def test_the_templates_are_valid_cloudformation(judged: Path) -> None:
    report = json.loads((judged / "validation-report.json").read_text())
    (own,) = [r for r in report["pluginReports"] if r["pluginName"] == "CloudFormation Validate"]
    assert (own["conclusion"], own["violations"]) == ("success", [])
    assert {(f["ruleName"], bool(f["reason"])) for f in own["suppressedViolations"]} == {("W3010", True)}


Done = subprocess.CompletedProcess[str]


def _run(*command: str | Path) -> Done:
    """One of the commands of ``package.json``, with nothing but itself to ask."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **CLOSED}
    return subprocess.run([NODE, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _told(assembly: Path, what: str, ask: Callable[[], Done], *, returncode: int = 0) -> str:
    """What ``ask`` was told of ``assembly``; it is asked again for another assembly, or when this file changes."""

    def make(out: Path) -> Done:
        done = ask()
        assert done.returncode == returncode, done.stderr
        out.mkdir()
        (out / "told").write_text(done.stdout + done.stderr)
        return subprocess.CompletedProcess([], 0)

    tests = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return (kept(f"told-{what}", f"{assembly.name}-{tests}", make, assembly.parent) / "told").read_text()


def test_the_pinned_publisher_of_images_reads_every_list_of_assets(judged: Path) -> None:
    publisher = ROOT / "node_modules" / "cdk-assets" / "bin" / "cdk-assets"
    lists = sorted(judged.rglob("*.assets.json"))
    for path in [p for p in lists if "Compute" in p.name]:  # those with images and files; half a second each
        listed = _told(judged, f"assets-{path.name}", functools.partial(_run, publisher, "--path", path, "ls"))
        named = json.loads(path.read_text())
        assert {*named["dockerImages"], *named["files"]} <= {*re.findall(r"[0-9a-f]{64}", listed)}
    assert {json.loads(path.read_text())["version"] for path in lists} == {"54.0.0"}


def test_the_cdk_command_lists_the_stacks_in_the_order_of_their_names(judged: Path) -> None:
    listed = _told(judged, "stacks", lambda: _run(CDK, "ls", "--app", judged))
    stacks = {
        "dev/Compute",
        "pipeline",
        "pipeline/staging/Data",
        "pipeline/prod/Network",
        "sanctum-guards-111122223333",
    }
    assert {line.split(" ")[0] for line in listed.splitlines()} >= stacks


def test_the_cdk_command_tells_what_changed_since_an_older_template(judged: Path, tmp_path: Path) -> None:
    (path,) = (judged / "assembly-dev").glob("devNetwork*.template.json")
    older = json.loads(path.read_text())
    vpc = next(k for k, r in older["Resources"].items() if r["Type"] == "AWS::EC2::VPC")
    older["Resources"][vpc]["Properties"]["CidrBlock"] = "10.99.0.0/16"
    (tmp_path / "older.json").write_text(json.dumps(older))
    command = (CDK, "diff", "--app", judged, "--template", tmp_path / "older.json", "dev/Network")
    assert "10.99.0.0/16" in _told(judged, "changes", lambda: _run(*command))


def test_two_synths_in_two_places_write_the_same_bytes(judged: Path, assembly: Path) -> None:
    here, there = _files(judged), _files(assembly)
    assert there
    assert set(here) - set(there) <= {"validation-report.json"}
    assert [name for name in there if here.get(name) != there[name]] == []


def test_wrong_settings_end_a_synth_with_what_is_wrong_and_no_traceback(judged: Path, tmp_path: Path) -> None:
    def synthesized() -> Done:
        shutil.copy(ROOT / "cdk.json", tmp_path)
        shutil.copy(ROOT / "app.py", tmp_path)
        for name in ("infra", "services", "environments"):
            shutil.copytree(ROOT / name, tmp_path / name)
        staging = tmp_path / "environments" / "staging.toml"
        staging.write_text(staging.read_text().replace("nodes = 2", "nodes = 3"))
        return synthesize_quickly(tmp_path, tmp_path / "out", {})

    told = _told(judged, "refusal", synthesized, returncode=1)
    assert "nodes = 3 must be a multiple of the 2 zones" in told
    assert "Traceback" not in told


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
