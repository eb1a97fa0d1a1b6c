"""What pages tell of the server: its addresses, and what it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mailsacd.plan_settings import PlanSettings
from mailsacd.settings import Settings

_FALLBACK_DOMAIN: Final = "example.com"
_FOR_MAIL_PROGRAMS: Final = (("POP3", "pop3"), ("SMTP", "submission"))
TLS: Final = "_tls"
"""What follows the name of a listener in that of its twin with TLS from the first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """What a mail program is told: ``tls_port`` is one with TLS from the start, None if none is."""

    protocol: str
    host: str
    port: int
    starttls: bool
    tls_port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """``ports`` are those in use by the names of the listeners, once they listen.

    ``hosts`` are the names by which others find them. ``offers_tls`` tells of those for mail
    programs whether TLS may be begun there.
    """

    settings: Settings
    hostname: str
    ports: Mapping[str, int]
    hosts: Mapping[str, str]
    offers_tls: Mapping[str, bool]

    @property
    def smtp(self) -> str:
        """Where mail is sent to, ``host:port``."""
        return self._where("smtp")

    @property
    def capture(self) -> str:
        """Where mail to any domain is sent to, by who logs in; ``""`` where nothing listens."""
        return self._where("capture")

    @property
    def submission(self) -> str:
        """Where mail that is to be sent goes, by who logs in; ``""`` where nothing listens."""
        return self._where("submission")

    @property
    def pop3(self) -> str:
        """Where mail programs fetch mail; ``""`` where nothing listens."""
        return self._where("pop3")

    def host(self, name: str) -> str:
        """The host that the listener ``name`` is found on."""
        return self.hosts[name]

    def port(self, name: str) -> int:
        """The port of the listener ``name``, or of its TLS twin; 0 where nothing listens."""
        return self.ports.get(name, 0)

    @property
    def default_plan(self) -> PlanSettings:
        """What a new account may have."""
        return self.settings.plans[self.settings.accounts.default_plan]

    @property
    def mail_servers(self) -> tuple[MailServer, ...]:
        """Where mail programs fetch and submit mail."""
        return tuple(
            MailServer(
                protocol=protocol,
                host=self.hosts[name],
                port=self.ports[name],
                starttls=self.offers_tls[name],
                tls_port=self.ports.get(name + TLS),
            )
            for protocol, name in _FOR_MAIL_PROGRAMS
            if name in self.ports
        )

    @property
    def named_domains(self) -> tuple[str, ...]:
        """The domains whose mail is taken, where that is not every domain."""
        accepted = self.settings.message.accepted_domains
        if "*" in accepted:
            return ()
        return tuple(name for name in accepted if not name.startswith("@"))

    @property
    def domain(self) -> str:
        """One that mail is taken for, to suggest."""
        exact = [name for name in self.named_domains if not name.startswith("*.")]
        if exact:
            return exact[0]
        if self.settings.domains.hosting:
            return self.settings.domains.hosting
        return self.hostname if "." in self.hostname else _FALLBACK_DOMAIN

    @property
    def anonymous_read(self) -> bool:
        """Whether public inboxes are read without an account."""
        return self.settings.http.anonymous_read

    @property
    def public_per_inbox(self) -> int:
        """How many messages a public inbox keeps."""
        return self.settings.storage.public_per_inbox

    @property
    def public_days(self) -> int:
        """For how many days a public message is kept."""
        return self.settings.storage.public_days

    @property
    def sign_up(self) -> str:
        """Who may make an account: ``open``, ``invitation`` or ``closed``."""
        return self.settings.accounts.sign_up

    def _where(self, name: str) -> str:
        port = self.ports.get(name)
        host = self.hosts[name]
        return "" if port is None else f"{f'[{host}]' if ':' in host else host}:{port}"
