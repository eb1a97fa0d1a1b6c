"""Which scorer the settings ask for."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from mailsacd.core.errors import ConfigurationError
from mailsacd.mail.spam.classifier import Classifier
from mailsacd.mail.spam.outside import Dialect, OutsideScorer
from mailsacd.outbound.scorers import rspamd, spamd
from mailsacd.outbound.scorers.ask import Asker, LookUp
from mailsacd.spam_settings import SpamSettings
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane

DIALECTS: Final[Mapping[str, Dialect]] = {
    each.name: each
    for each in (
        Dialect(
            name="rspamd",
            port=rspamd.PORT,
            question=rspamd.question,
            read_answer=rspamd.read_answer,
        ),
        Dialect(
            name="spamd", port=spamd.PORT, question=spamd.question, read_answer=spamd.read_answer
        ),
    )
}

Chosen = Classifier | OutsideScorer


def make_scorer(
    settings: SpamSettings, database: Database, lane: Lane, look_up: LookUp, *, reactor: Any
) -> Chosen | None:
    """Return the scorer that ``settings`` ask for; None: none is to be used.

    ``look_up`` finds the addresses of its host. Raises ConfigurationError.
    """
    if settings.scorer == "off":
        return None
    if settings.scorer == "classifier":
        return Classifier(database, lane, reactor=reactor)
    dialect = DIALECTS[settings.scorer]
    host, port = _address(settings.address, dialect.port)
    asker = Asker(host, port, look_up, reactor=reactor)
    return OutsideScorer(dialect, asker.ask, timeout_s=settings.timeout_s, reactor=reactor)


def _address(text: str, usual_port: int) -> tuple[str, int]:
    if not text:
        return "127.0.0.1", usual_port
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.netloc != text or "@" in text:
        raise ConfigurationError(f"spam.address: {text!r} is not host:port")
    return host, port
