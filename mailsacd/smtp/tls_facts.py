"""What a TLS handshake settled, and the certificate that the client showed in it."""

from collections.abc import Callable
from typing import Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from mailsacd.core.envelope import TlsFacts
from mailsacd.core.token import iso_time
from mailsacd.core.transcript import ClientCertificate
from mailsacd.sockets.connection import Connection

MAX_NAME_CHARACTERS: Final = 1_000
"""So much is kept of each name in a client's certificate."""


@implementer(IOpenSSLServerConnectionCreator)
class AsksForCertificates:
    """Begins TLS as ``creator`` does. While they are ``wanted``, certificates are asked for.

    No client need have one, and any will do.
    """

    def __init__(
        self, creator: IOpenSSLServerConnectionCreator, wanted: Callable[[], bool]
    ) -> None:
        self._creator = creator
        self._wanted = wanted

    def serverConnectionForTLS(  # noqa: N802  Twisted's name
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: N803  Twisted's name
    ) -> SSL.Connection:
        """A server's side of a TLS connection, over memory."""
        connection: SSL.Connection = self._creator.serverConnectionForTLS(tlsProtocol)
        if self._wanted():
            connection.set_verify(SSL.VERIFY_PEER, _accept_any)
        return connection


def tls_facts(connection: Connection) -> TlsFacts:
    """Return what the handshake has settled."""
    tls = cast(SSL.Connection, connection.tls_handle)
    return TlsFacts(
        version=tls.get_protocol_version_name(),
        cipher=tls.get_cipher_name() or "",
        bits=tls.get_cipher_bits() or 0,
    )


def client_certificate(connection: Connection) -> ClientCertificate | None:
    """Return the certificate that the client showed; None without, and for one not understood."""
    tls = cast(SSL.Connection, connection.tls_handle)
    shown = tls.get_peer_certificate()
    if shown is None:
        return None
    try:
        return _told(shown.to_cryptography())
    except (ValueError, x509.InvalidVersion):  # strangers sign what they like
        return None


def _told(certificate: x509.Certificate) -> ClientCertificate:
    return ClientCertificate(
        subject=certificate.subject.rfc4514_string()[:MAX_NAME_CHARACTERS],
        issuer=certificate.issuer.rfc4514_string()[:MAX_NAME_CHARACTERS],
        serial=f"{certificate.serial_number:x}",
        not_before=iso_time(certificate.not_valid_before_utc),
        not_after=iso_time(certificate.not_valid_after_utc),
        sha256=certificate.fingerprint(SHA256()).hex(),
    )


def _accept_any(*_: object) -> bool:
    return True
