"""Certificates for one machine: an authority that people may trust, and short-lived leaves under it.

The authority's name constraints let it vouch for this machine alone, so trusting it in a browser risks nothing else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local import files

AUTHORITY_LIFE = timedelta(days=730)
AUTHORITY_RENEWAL = timedelta(days=180)
"""An authority with less than this left gets a new certificate for the same key and name: clients that trust the old
one go on until its end."""
LEAF_LIFE = timedelta(days=30)
LEAF_RENEWAL = timedelta(days=1)
"""Leaves are made anew at each start; one with less than this left, or not yet valid, asks for another start."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Leaf:
    """Files of a certificate and of its private key, both PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority.

    Args:
        name: Its common name.
        key: Its private key; a new one where left out, known to nobody else and gone with this object.
    """

    def __init__(self, name: str, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._key = key or ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = _usage(certificates=True)
        constraints = x509.NameConstraints(
            permitted_subtrees=[
                x509.DNSName("localhost"),
                x509.IPAddress(IPv4Network("127.0.0.1/32")),
                x509.IPAddress(IPv6Network("::1/128")),
            ],
            excluded_subtrees=None,
        )
        self.certificate = (
            self._builder(self._name, self._key.public_key(), AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(constraints, critical=True)
            .sign(self._key, SHA256())
        )

    @classmethod
    def kept(cls, name: str, certificate: Path, key: Path) -> "Authority":
        """The authority in these two files, made where there is none and renewed long before its end."""
        found = load_pem_private_key(key.read_bytes(), None) if key.exists() else None
        authority = cls(name, found if isinstance(found, ec.EllipticCurvePrivateKey) else None)
        if found and certificate.exists():
            old = x509.load_pem_x509_certificate(certificate.read_bytes())
            if _lasts(old, AUTHORITY_RENEWAL):
                authority.certificate = old
                return authority
        files.write(key, _pem(authority._key))
        authority.write_certificate(certificate)
        return authority

    def write_certificate(self, path: Path) -> None:
        """Write the certificate for those who are to trust it."""
        files.write(path, self.certificate.public_bytes(Encoding.PEM), mode=0o644)

    def issue_server(self, name: str, folder: Path, *, at: datetime | None = None) -> Leaf:
        """A certificate for a server on this machine (localhost, 127.0.0.1 and ::1), issued ``at`` a time, or now."""
        return self._issue(name, folder, ExtendedKeyUsageOID.SERVER_AUTH, at)

    def issue_client(self, name: str, folder: Path) -> Leaf:
        """A certificate for a client of a server that trusts this authority."""
        return self._issue(name, folder, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, name: str, folder: Path, purpose: x509.ObjectIdentifier, at: datetime | None = None) -> Leaf:
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.DNSName(n) if n == "localhost" else x509.IPAddress(ip_address(n)) for n in LOOPBACK
        ]
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), LEAF_LIFE, at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, SHA256())
        )
        leaf = Leaf(folder / f"{name}.pem", folder / f"{name}.key")
        files.write(leaf.key, _pem(key))
        files.write(leaf.certificate, certificate.public_bytes(Encoding.PEM), mode=0o644)
        return leaf

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta, at: datetime | None = None
    ) -> x509.CertificateBuilder:
        now = at or datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))  # a clock that was set back a little
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def lasts(certificate: Path) -> bool:
    """Whether the leaf in this file is valid now and stays so for a while."""
    return _lasts(x509.load_pem_x509_certificate(certificate.read_bytes()), LEAF_RENEWAL)


def _lasts(certificate: x509.Certificate, rest: timedelta) -> bool:
    now = datetime.now(UTC)
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - rest


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
