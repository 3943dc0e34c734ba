"""What goes into the images."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from infra.compute.task_definition import USER
from infra.compute.values import RDS_CA_FILE
from tests.infra.synth import ROOT

SERVICES = ("backend", "ai_core")
ROOTS = x509.load_pem_x509_certificates((ROOT / "services" / "backend" / "rds-ca.pem").read_bytes())


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_installs_hashed_packages_and_runs_without_root(name: str) -> None:
    text = (ROOT / "services" / name / "Dockerfile").read_text()
    assert "--no-deps --require-hashes" in text
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == [USER]
    assert 'VOLUME ["/tmp"]' in text
    assert f'CMD ["python", "-m", "{name}"]' in text
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.13-slim-bookworm"}


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
