"""What an image is made of can be read, and is what its lock says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tools.installed import require_dependency_tools
from tools import sbom
from tools.locks import Locked

Json = dict[str, Any]

pytestmark = pytest.mark.xdist_group("sbom")  # written once


@pytest.fixture(scope="session")
def bills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """Every bill of materials, by the name of its file."""
    require_dependency_tools()
    out = tmp_path_factory.mktemp("sbom")
    assert sbom.main(out) == 0
    return {file.name.removesuffix(".cdx.json"): json.loads(file.read_text()) for file in out.iterdir()}


def _versions(bill: Json) -> dict[str, str]:
    return {component["name"]: component["version"] for component in bill["components"]}


def test_there_is_one_for_each_image_and_for_what_the_repository_uses(bills: dict[str, Json]) -> None:
    assert set(bills) == {"image-ai_core", "image-backend", "npm", "python"}


@pytest.mark.parametrize("service", ["backend", "ai_core"])
def test_an_image_names_its_base_and_every_package_that_it_needs(bills: dict[str, Json], service: str) -> None:
    bill = bills[f"image-{service}"]
    (base,) = (component for component in bill["components"] if component["type"] == "container")
    assert base["purl"] == "pkg:docker/python@3.13-slim-bookworm"
    refs = {component["bom-ref"] for component in bill["components"]}
    needs = {row["ref"]: {*row.get("dependsOn", ())} for row in bill["dependencies"]}
    assert set(needs) == refs | {f"sanctum-{service}"}
    reached, found = set[str](), {f"sanctum-{service}"}
    while found:
        reached |= found
        found = {ref for one in found for ref in needs[one]} - reached
    assert reached == refs | {f"sanctum-{service}"}  # nothing is there that nothing needs


@pytest.mark.parametrize("service", ["backend", "ai_core"])
def test_what_the_services_stand_on_is_in_it(bills: dict[str, Json], service: str) -> None:
    versions = _versions(bills[f"image-{service}"])
    lock = (sbom.ROOT / "services" / service / "requirements.txt").read_text()
    assert {"fastapi", "uvicorn", "cryptography", "sqlalchemy"} <= set(versions)
    assert all(f"{name}=={version}" in lock for name, version in versions.items() if name != "python")
    assert {"pytest", "aws-cdk-lib", "colorama"}.isdisjoint(versions)


def test_nearly_every_package_has_a_licence(bills: dict[str, Json]) -> None:
    components = bills["image-backend"]["components"]
    without = [component["name"] for component in components if not component.get("licenses")]
    assert len(without) <= 3, without


def test_of_npm_every_package_is_in_it_with_its_hash(bills: dict[str, Json]) -> None:
    lock = json.loads((sbom.ROOT / "package-lock.json").read_text())["packages"]
    locked = {name.removeprefix("node_modules/"): package["version"] for name, package in lock.items() if name}
    assert _versions(bills["npm"]) == locked
    assert all(component["hashes"] for component in bills["npm"]["components"])


def test_the_same_locks_give_the_same_bytes(bills: dict[str, Json], tmp_path: Path) -> None:
    sbom.write(tmp_path)
    assert {f.name.removesuffix(".cdx.json"): json.loads(f.read_text()) for f in tmp_path.iterdir()} == bills


def test_a_licence_of_another_version_is_not_told() -> None:
    described = {"one": {"version": "1", "licenses": [{"license": {"id": "MIT"}}]}}
    same, other = (sbom.bill("x", [Locked("one", v)], described, python="3.13")["components"][0] for v in "12")
    assert same["licenses"] == [{"license": {"id": "MIT"}}]
    assert "licenses" not in other


def test_what_depends_on_the_machine_is_refused() -> None:
    rows = [Locked("one", "1", "platform_machine == 'aarch64'")]
    with pytest.raises(ValueError, match="differs between aarch64 and x86_64"):
        sbom.bill("x", rows, {}, python="3.13")


@pytest.mark.parametrize(
    ("bases", "purl"),
    [
        (["python:3.13-slim AS build", "python:3.13-slim"], "pkg:docker/python@3.13-slim"),
        (["python:3.13-slim@sha256:ab"], "pkg:docker/python@sha256%3Aab"),
        (["python:3.13-slim AS build", "python:3.13"], None),
        (["scratch"], None),
    ],
)
def test_the_base_is_read_from_the_dockerfile(tmp_path: Path, bases: list[str], purl: str | None) -> None:
    (tmp_path / "Dockerfile").write_text("".join(f"FROM {base}\n" for base in bases))
    (tmp_path / "requirements.txt").write_text("one==1 \\\n    --hash=sha256:aa\n")
    if purl is None:
        with pytest.raises(ValueError, match="has to be one"):
            sbom.image_bill(tmp_path, {})
    else:
        assert sbom.image_bill(tmp_path, {})["components"][0]["purl"] == purl


def test_what_is_not_valid_fails(tmp_path: Path) -> None:
    require_dependency_tools()
    file = tmp_path / "x.cdx.json"
    file.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "licences": []}')
    assert sbom.judged([file]) == 1
    assert sbom.judged([]) == 1


def test_they_go_with_each_release() -> None:
    recipe = re.search(r"^release: sbom .*\n((?:\t.*\n)+)", (sbom.ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert re.search(r"cp -R .*build/sbom.* build/release/build$", recipe[1], re.MULTILINE)
