"""Who signs certificates of names of AWS here: an authority that only the tasks of a rehearsal trust."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from local import files

LIFE = timedelta(days=1)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """An authority whose certificate and key are in ``folder``, made there where they are missing."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self._folder = folder
        key_file = folder / "ca.key"
        if not key_file.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Sanctum rehearsal")
            made = (
                _builder(name, name, key)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_SIGNS_CERTIFICATES, critical=True)
                .sign(key, SHA256())
            )
            files.write(key_file, _pem(key))
            files.write(self.certificate, made.public_bytes(Encoding.PEM), mode=0o644)
        loaded = load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key_file} holds no key of an elliptic curve")
        self._key = loaded

    def issue(self, *hosts: str) -> Path:
        """A file with a certificate of ``hosts`` and its key, as HAProxy and OpenSSL read them."""
        path = self._folder / f"{hosts[0]}.pem"
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject
            made = (
                _builder(_name("a front"), issuer, key)  # a host's name may be longer than a common name
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(_key_of(self._key), critical=False)
                .sign(self._key, SHA256())
            )
            files.write(path, made.public_bytes(Encoding.PEM) + _pem(key))
        return path

    def server(self, host: str) -> ssl.SSLContext:
        """TLS 1.2 or newer, as ``host``."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(self.issue(host))
        return tls


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_of(issuer: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
