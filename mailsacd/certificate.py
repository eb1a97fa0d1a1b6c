"""The server's certificate: found or made at the start, read again on demand.

TLS contexts are replaced as a whole: sessions under way keep the one that they began with.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from mailsacd.core.errors import ConfigurationError
from mailsacd.settings import TlsSettings

_SELF_SIGNED_DAYS: Final = 3650
_MAX_COMMON_NAME: Final = 64  # RFC 5280 appendix A: ub-common-name

_PrivateKey = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)

_TLS_1_2_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_OPTIONS: Final = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE

_log = Logger()


@implementer(IOpenSSLServerConnectionCreator)
class ReloadableContext:
    """Begins TLS for new connections, with the newest context."""

    def __init__(self, context: SSL.Context) -> None:
        self.context = context

    def serverConnectionForTLS(  # noqa: N802  Twisted's name
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: N803, ARG002
    ) -> SSL.Connection:
        """A server's side of a TLS connection, over memory."""
        return SSL.Connection(self.context, None)


class CertificateStore:
    """The certificate in force: of the settings, else a self-signed one in ``data_dir``."""

    def __init__(self, settings: TlsSettings, *, data_dir: Path, hostname: str) -> None:
        """Raises ConfigurationError that names the file at fault."""
        if bool(settings.certificate) != bool(settings.private_key):
            raise ConfigurationError("tls.certificate and tls.private_key go together")
        if settings.certificate:
            self._certificate = Path(settings.certificate)
            self._private_key = Path(settings.private_key)
        else:
            self._certificate = data_dir / "tls.crt"
            self._private_key = data_dir / "tls.key"
            if not (self._certificate.exists() and self._private_key.exists()):
                _make_self_signed(self._certificate, self._private_key, hostname)
        self.context_factory = ReloadableContext(_load(self._certificate, self._private_key))

    def reload(self) -> None:
        """Read the files again. When they are not good, the certificate in force stays."""
        try:
            self.context_factory.context = _load(self._certificate, self._private_key)
        except ConfigurationError as e:
            _log.error("the certificate stays as it was: {problem}", problem=e.public)
        else:
            _log.info("certificate read again from {file}", file=str(self._certificate))


def _load(certificate_file: Path, key_file: Path) -> SSL.Context:
    leaf = read_certificates(certificate_file)[0]
    key = _read_key(key_file)
    if key.public_key() != leaf.public_key():
        raise ConfigurationError(f"{key_file} is not the key of the certificate {certificate_file}")
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_TLS_1_2_CIPHERS)
    context.set_options(_OPTIONS)
    # Sessions of clients that were asked for a certificate are resumed only with one of these
    context.set_session_id(b"mailsacd")
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # idle connections give their buffers back
    try:
        context.use_certificate_chain_file(str(certificate_file))
        context.use_privatekey_file(str(key_file))
        context.check_privatekey()
    except SSL.Error as e:
        raise ConfigurationError(f"{certificate_file} cannot be used for TLS: {e}") from e
    return context


def read_certificates(file: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, the server's own first.

    Raises ConfigurationError.
    """
    try:
        return x509.load_pem_x509_certificates(_read(file))
    except ValueError as e:
        raise ConfigurationError(f"{file} holds no certificate in PEM: {e}") from e


def _read_key(file: Path) -> _PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(file), None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as e:
        raise ConfigurationError(f"{file} holds no unencrypted private key in PEM: {e}") from e
    if not isinstance(key, _PrivateKey):
        raise ConfigurationError(f"{file} holds a key of a kind that TLS servers do not use")
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise ConfigurationError(f"{file} cannot be read: {e.strerror}") from e


def _make_self_signed(certificate_file: Path, key_file: Path, hostname: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:_MAX_COMMON_NAME])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        _write(key_file, private, 0o600)
        _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    except OSError as e:
        raise ConfigurationError(f"{e.filename} cannot be written: {e.strerror}") from e


def _names(hostname: str) -> list[x509.GeneralName]:
    names = dict.fromkeys((hostname, "localhost"))
    return [
        *(x509.DNSName(name) for name in names),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]


def _write(file: Path, content: bytes, mode: int) -> None:
    """Written aside and put in place, so that nobody ever reads half of it."""
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as f:
        f.write(content)
    aside.replace(file)
