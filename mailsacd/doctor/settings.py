"""Settings that are good each by itself, and not together."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from mailsacd.doctor.finding import Finding, ok, warning
from mailsacd.ports import listeners, where
from mailsacd.settings import Settings

AREA: Final = "settings"


def look_at_settings(settings: Settings) -> list[Finding]:
    """Return what a public server, or one on a loopback address, should have otherwise."""
    found = list(_public(settings)) if is_public(settings) else []
    return found or [ok(AREA, "nothing contradicts")]


def is_public(settings: Settings) -> bool:
    """Return whether other machines get at any of the ports."""
    hosts = {where(settings, name)[0] for name in listeners(settings)}
    return not all(ipaddress.ip_address(host).is_loopback for host in hosts)


def _public(settings: Settings) -> Iterator[Finding]:
    if not settings.server.hostname:
        yield warning(
            AREA,
            "server.hostname is empty: other mail servers are told this machine's own name",
            "set it to the name that the MX record of your domain has",
        )
    if not settings.http.public_url:
        yield warning(
            AREA,
            "http.public_url is empty: links in mail and Slack lead to this machine's port",
            "set it to where people find the server, such as https://mail.example.com",
        )
    if not settings.throttle.enabled:
        yield warning(
            AREA,
            "throttle.enabled is false, and others may send as fast as they like",
            "set it to true",
        )
    if settings.accounts.sign_up == "open" and settings.message.accepted_domains == ("*",):
        yield warning(
            AREA,
            "mail for any domain is taken, and anybody may make an account",
            'set accounts.sign_up to "invitation", or name domains in message.accepted_domains',
        )
    for name, chosen in listeners(settings).items():
        if getattr(chosen, "plain_login", "") == "always":
            yield warning(
                AREA,
                f"{name}.plain_login takes passwords without TLS from everybody",
                'set it to "loopback"',
            )
