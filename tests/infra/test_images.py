"""What goes into the images."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from infra.compute.dockerfiles import RDS_CA_FILE, USER
from infra.settings import read_environments
from tests.infra.synth import ROOT
from tests.infra.template import Json
from tools import provenance

SERVICES = ("backend", "ai_core")
PLATFORMS = {"ARM64": "linux/arm64", "X86_64": "linux/amd64"}
ROOTS = x509.load_pem_x509_certificates((ROOT / "services" / "backend" / "rds-ca.pem").read_bytes())


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_installs_hashed_packages_and_runs_without_root(name: str) -> None:
    text = (ROOT / "services" / name / "Dockerfile").read_text()
    assert "--only-binary :all: --no-deps --require-hashes" in text
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == [USER]
    assert 'VOLUME ["/tmp"]' in text
    assert f'CMD ["python", "-m", "{name}"]' in text
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.13-slim-bookworm"}


def _image_assets(assembly: Path) -> Iterator[tuple[str, Json]]:
    for manifest in assembly.rglob("*.assets.json"):
        yield from json.loads(manifest.read_text())["dockerImages"].items()


def test_an_image_is_built_once_for_all_environments_and_for_the_processor_of_its_tasks(assembly: Path) -> None:
    architectures = {environment.compute.architecture for environment in read_environments()}
    built = {
        (name, asset["displayName"], asset["source"]["dockerFile"], asset["source"]["platform"])
        for name, asset in _image_assets(assembly)
    }
    expected = {(name, f"{name}/Dockerfile", PLATFORMS[a]) for name in SERVICES for a in architectures}
    assert {tuple(of_asset) for _, *of_asset in built} == expected
    assert len(built) == len(expected)


def test_nothing_of_the_machine_that_builds_an_image_is_handed_to_it(assembly: Path) -> None:
    for _, asset in _image_assets(assembly):
        assert set(asset["source"]) == {"directory", "dockerFile", "platform"}


def test_where_each_image_comes_from_is_part_of_the_evidence(assembly: Path, tmp_path: Path) -> None:
    provenance.main(assembly, tmp_path)
    said = [json.loads(path.read_text()) for path in tmp_path.glob("*.intoto.json")]
    tags = {(subject["name"], subject["digest"]["cdkAssetHash"]) for one in said for subject in one["subject"]}
    assert tags == {(asset["displayName"], tag) for tag, asset in _image_assets(assembly)}
    recipe = re.search(r"^evidence:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert "-m tools.provenance build/cdk.out build/evidence " in recipe[1]  # which make release keeps


def test_the_roots_of_rds_are_where_the_backend_looks_for_them() -> None:
    assert f"COPY backend/rds-ca.pem {RDS_CA_FILE}" in (ROOT / "services" / "backend" / "Dockerfile").read_text()


def test_every_root_is_a_current_self_signed_authority_of_amazon_rds() -> None:
    soon = datetime.now(UTC) + timedelta(days=365)
    assert len(ROOTS) >= 60
    for certificate in ROOTS:
        name = str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        assert re.fullmatch(r"Amazon RDS [a-z0-9-]+ Root CA (RSA2048|RSA4096|ECC384) G1", name)
        certificate.verify_directly_issued_by(certificate)
        constraints = certificate.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
        assert isinstance(constraints, x509.BasicConstraints)
        assert constraints.ca
        assert certificate.not_valid_after_utc > soon
