"""Certificates: found, made, refused, read again."""

import ssl
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from OpenSSL import SSL

from mailsacd.certificate import CertificateStore
from mailsacd.core.errors import ConfigurationError
from mailsacd.settings import TlsSettings


def _issue(directory: Path, name: str) -> TlsSettings:
    """A certificate and key in files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (directory / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return TlsSettings(
        certificate=str(directory / f"{name}.crt"), private_key=str(directory / f"{name}.key")
    )


def _handshake(store: CertificateStore, client: ssl.SSLContext) -> ssl.SSLObject:
    """A handshake in memory."""
    server = store.context_factory.serverConnectionForTLS(None)  # type: ignore[arg-type]
    server.set_accept_state()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client.wrap_bio(incoming, outgoing, server_hostname="mx.example")
    for _ in range(10):
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            server.bio_write(outgoing.read())
            with suppress(SSL.WantReadError):
                server.do_handshake()
            incoming.write(server.bio_read(65_536))
        else:
            return tls
    raise AssertionError("no end of the handshake")


def _common_name(store: CertificateStore) -> str:
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    der = _handshake(store, client).getpeercert(binary_form=True)
    assert der
    certificate = x509.load_der_x509_certificate(der)
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_a_self_signed_certificate_is_made_once_and_proves_the_host(tmp_path: Path) -> None:
    store = CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="mx.example")
    made = (tmp_path / "tls.crt").read_bytes()
    assert stat.S_IMODE((tmp_path / "tls.key").stat().st_mode) == 0o600
    assert sorted(f.name for f in tmp_path.iterdir()) == ["tls.crt", "tls.key"]
    _handshake(store, ssl.create_default_context(cadata=made.decode()))
    names = (
        x509.load_pem_x509_certificate(made)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.DNSName) == ["mx.example", "localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="other.example")
    assert (tmp_path / "tls.crt").read_bytes() == made


def test_old_tls_is_refused(tmp_path: Path) -> None:
    store = CertificateStore(TlsSettings(), data_dir=tmp_path, hostname="mx.example")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        client.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, SSL.Error)):
        _handshake(store, client)


def test_the_settings_certificate_is_used_with_its_chain(tmp_path: Path) -> None:
    settings = _issue(tmp_path, "leaf.example")
    chain = Path(_issue(tmp_path, "issuer.example").certificate).read_bytes()
    with Path(settings.certificate).open("ab") as f:
        f.write(chain)
    store = CertificateStore(settings, data_dir=tmp_path, hostname="mx.example")
    assert _common_name(store) == "leaf.example"
    assert not (tmp_path / "tls.key").exists()


def test_a_reload_takes_the_new_files_and_keeps_the_old_ones_when_they_are_bad(
    tmp_path: Path,
) -> None:
    settings = _issue(tmp_path, "one.example")
    store = CertificateStore(settings, data_dir=tmp_path, hostname="mx.example")
    begun = store.context_factory.serverConnectionForTLS(None)  # type: ignore[arg-type]
    two = _issue(tmp_path, "two.example")
    Path(settings.certificate).write_bytes(Path(two.certificate).read_bytes())
    store.reload()
    assert _common_name(store) == "one.example"
    Path(settings.private_key).write_bytes(Path(two.private_key).read_bytes())
    store.reload()
    assert _common_name(store) == "two.example"
    assert begun.get_context() is not store.context_factory.context
    Path(settings.certificate).unlink()
    store.reload()
    assert _common_name(store) == "two.example"


def _foreign_key(settings: TlsSettings, directory: Path) -> str:
    Path(settings.private_key).write_bytes(
        Path(_issue(directory, "foreign.example").private_key).read_bytes()
    )
    return settings.private_key


def _no_key(settings: TlsSettings, _: Path) -> str:
    Path(settings.private_key).unlink()
    return settings.private_key


def _no_certificate(settings: TlsSettings, _: Path) -> str:
    Path(settings.certificate).unlink()
    return settings.certificate


def _empty_certificate(settings: TlsSettings, _: Path) -> str:
    Path(settings.certificate).write_bytes(b"")
    return settings.certificate


def _broken_certificate(settings: TlsSettings, _: Path) -> str:
    Path(settings.certificate).write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )
    return settings.certificate


def _directory(settings: TlsSettings, _: Path) -> str:
    Path(settings.certificate).unlink()
    Path(settings.certificate).mkdir()
    return settings.certificate


def _encrypted_key(settings: TlsSettings, _: Path) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    Path(settings.private_key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return settings.private_key


def _odd_key(settings: TlsSettings, _: Path) -> str:
    key = x25519.X25519PrivateKey.generate()
    Path(settings.private_key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return settings.private_key


@pytest.mark.parametrize(
    "spoil",
    [
        _foreign_key,
        _no_key,
        _no_certificate,
        _empty_certificate,
        _broken_certificate,
        _directory,
        _encrypted_key,
        _odd_key,
    ],
)
def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, spoil: Callable[[TlsSettings, Path], str]
) -> None:
    settings = _issue(tmp_path, "leaf.example")
    at_fault = spoil(settings, tmp_path)
    with pytest.raises(ConfigurationError) as e:
        CertificateStore(settings, data_dir=tmp_path, hostname="mx.example")
    assert at_fault in e.value.public


def test_one_file_of_two_is_not_enough(tmp_path: Path) -> None:
    settings = TlsSettings(certificate=str(tmp_path / "x.crt"))
    with pytest.raises(ConfigurationError, match="go together"):
        CertificateStore(settings, data_dir=tmp_path, hostname="mx.example")


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing"):
        CertificateStore(TlsSettings(), data_dir=tmp_path / "missing", hostname="mx.example")
