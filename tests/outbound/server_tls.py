"""The server's side of TLS, with certificates that a test issues."""

import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL
from twisted.internet.ssl import ContextFactory


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


class ServerTls(ContextFactory):
    """A server's side, with a certificate of trustme."""

    def __init__(self, certificate: trustme.LeafCert, *, newest: int | None = None) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        pem, key = certificate.cert_chain_pems[0], certificate.private_key_pem
        self._context.use_certificate(load_pem_x509_certificate(pem.bytes()))
        self._context.use_privatekey(_private_key(key.bytes()))
        if newest is not None:
            self._context.set_min_proto_version(0)
            self._context.set_max_proto_version(newest)
            self._context.set_cipher_list(b"ALL:@SECLEVEL=0")

    def getContext(self) -> SSL.Context:  # noqa: N802  Twisted's
        return self._context
