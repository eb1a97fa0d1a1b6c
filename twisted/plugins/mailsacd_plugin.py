"""Makes `twistd mailsacd` known to Twisted."""

from twisted.application.service import ServiceMaker

mailsacd = ServiceMaker(
    "mailsacd",
    "mailsacd.tap",
    "A self-hosted Mailsac: receive mail at any address, read it by REST.",
    "mailsacd",
)
