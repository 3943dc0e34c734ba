"""The backend can check the certificate of its database wherever an environment is."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.infra.promise import ENVIRONMENTS, Stacks, promise, setting
from tests.infra.synth import ROOT

ROOTS = {
    str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value): certificate
    for certificate in x509.load_pem_x509_certificates((ROOT / "services" / "backend" / "rds-ca.pem").read_bytes())
}


@promise(
    another_authority=setting("AWS::RDS::DBInstance", "CACertificateIdentifier", "rds-ca-2019"),
    newer=setting("AWS::RDS::DBInstance", "CACertificateIdentifier", "rds-ca-rsa2048-g2"),
)
def test_the_root_of_the_databases_certificate_is_in_the_backends_image(stacks: Stacks) -> None:
    """``rds-ca-rsa2048-g1`` is signed by the region's ``Root CA RSA2048 G1``."""
    identifiers = {i.get("CACertificateIdentifier", "") for i in stacks.properties("AWS::RDS::DBInstance")}
    for identifier in identifiers:
        name = identifier.removeprefix("rds-ca-").upper().replace("-", " ")
        assert f"Amazon RDS {stacks.settings.account.region} Root CA {name}" in ROOTS


def test_the_roots_of_every_region_in_use_and_of_those_a_copy_may_be_restored_in_are_there_for_ten_years() -> None:
    regions = {e.account.region for e in ENVIRONMENTS.values()} | {
        e.backup.copy_region for e in ENVIRONMENTS.values() if e.backup.copy_region
    }
    assert "us-east-1" in regions
    for region in regions:
        for kind in ("RSA2048", "RSA4096", "ECC384"):
            root = ROOTS[f"Amazon RDS {region} Root CA {kind} G1"]
            assert root.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3650)
