"""A container of mailsacd, of the image that packaging/container/Containerfile makes."""

from typing import Final

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

from mailsacd_client import Client

IMAGE: Final = "mailsacd"
SMTP_PORT: Final = 1025
HTTP_PORT: Final = 8025

PORTS: Final = (SMTP_PORT, 1587, 1588, 1110, HTTP_PORT)
KEY_FILE: Final = "/data/admin.key"
SETTINGS: Final = {
    "MAILSACD_RELAY_ENABLED": "false",
    # senders that check certificates refuse a self-signed one
    "MAILSACD_SMTP_STARTTLS": "never",
}

_STARTING_S: Final = 60


class MailsacdContainer(DockerContainer):
    """A server that takes mail for any address; it is ready when ``start`` returns.

    It sends nothing anywhere. ``with_env`` gives it further settings, as ``MAILSACD_HTTP_…``.
    """

    def __init__(self, image: str = IMAGE) -> None:
        super().__init__(image)
        self.with_exposed_ports(*PORTS)
        self.with_envs(**SETTINGS)
        ready = HttpWaitStrategy(HTTP_PORT, "/readyz").for_status_code(200)
        self.waiting_for(ready.with_startup_timeout(_STARTING_S))

    @property
    def url(self) -> str:
        """Where its API and its pages are, as seen from the tests."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(HTTP_PORT)}"

    @property
    def smtp_host(self) -> str:
        """The host that takes mail, as seen from the tests."""
        return self.get_container_host_ip()

    @property
    def smtp_port(self) -> int:
        """The port that takes mail, as seen from the tests."""
        return self.get_exposed_port(SMTP_PORT)

    def key(self) -> str:
        """The API key of the account admin. Raises RuntimeError when it cannot be read."""
        read = self.exec(["cat", KEY_FILE])
        if read.exit_code or read.output is None:
            raise RuntimeError(f"{KEY_FILE} cannot be read: {read.output!r}")
        return read.output.decode().strip()

    def client(self) -> Client:
        """A new client with that key; it is closed by who asked for it."""
        return Client(self.url, key=self.key())
