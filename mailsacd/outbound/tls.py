"""TLS towards servers: with certificates that are good for the very name that was asked for, or,
for mail that would go without TLS otherwise, with any."""

import ipaddress
from typing import Any, Final

from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

from mailsacd.core.errors import ConfigurationError

_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all good


def verifying_context(ca_file: str = "", *, setting: str) -> SSL.Context:
    """A context that trusts the system's authorities, and those in ``ca_file`` (PEM).

    Reading them takes some milliseconds: once, at the start. Raises ConfigurationError that names
    ``setting``.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_CIPHERS)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER)
    context.set_default_verify_paths()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except SSL.Error as e:
            raise ConfigurationError(f"{setting}: {ca_file} has no certificates in PEM") from e
    return context


def trusting_context() -> SSL.Context:
    """A context that takes any certificate: who has no better one than none (RFC 7435)."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    return context


@implementer(IOpenSSLClientConnectionCreator)
class ClientTls:
    """Begins TLS with a server called ``host`` (a normal domain or an IP address)."""

    def __init__(self, context: SSL.Context, host: str) -> None:
        self._context = context
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N802, N803, ARG002  Twisted's
        """A client's side of a TLS connection, over memory."""
        connection = SSL.Connection(self._context, None)
        if not _is_ip(self._host):  # RFC 6066 section 3: never an address
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection


def check_identity(transport: Any, host: str) -> None:
    """To be called when the handshake is done: the certificate has to be one of ``host``.

    That its chain is good the context has seen to. Raises ValueError.
    """
    verify = verify_ip_address if _is_ip(host) else verify_hostname
    try:
        verify(transport.getHandle(), host)
    except (VerificationError, CertificateError) as e:
        raise ValueError(f"the certificate is not one of {host}") from e


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
