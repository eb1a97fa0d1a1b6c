"""`/audit`: what was done to an account and to what it owns, by whom and from where."""

from typing import Any, Final

from mailsacd.core.audit import AuditEntry, Author
from mailsacd.core.token import time_of
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.audit import TOPIC
from mailsacd.http.server.answer import Response
from mailsacd.mail.records.audit import MAX_OF_TOPIC, AuditLog
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.visit import Visit

PATH: Final = "/audit"
PER_PAGE: Final = 50

TOPICS: Final = {
    "account": "Account",
    "session": "Signing in",
    "two-factor": "Second factor",
    "key": "API keys",
    "team": "Team",
    "domain": "Domains",
    "address": "Addresses",
    "operator": "What you did as operator",
}
"""What people call the topics of core.audit.TOPICS."""

_SINGULAR: Final = {
    "account": "Account",
    "session": "Session",
    "two-factor": "Second factor",
    "key": "API key",
    "team": "User",
    "domain": "Domain",
    "address": "Address",
    "operator": "Operator:",
}


class AuditPage:
    """The page, and its declaration."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (
            Page(
                path=PATH,
                id="audit",
                parameters=(SKIP, TOPIC),
                for_accounts=True,
                handler=self.show,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """A page of entries, newest first, with a choice of their topic."""
        topic, skip = visit["topic"], visit["skip"]
        found = await self._log.list(visit.actor, topic=topic, limit=PER_PAGE + 1, skip=skip)
        topics = {
            n: label for n, label in TOPICS.items() if n != "operator" or visit.actor.is_operator
        }
        return visit.shown(
            "account/audit.html",
            entries=[_told(entry) for entry in found[:PER_PAGE]],
            topics=topics,
            topic=topic or "",
            **paged(found, skip=skip, step=PER_PAGE),
            most=MAX_OF_TOPIC,
            days=self._log.days,
        )


def _told(entry: AuditEntry) -> dict[str, Any]:
    return {
        "time": time_of(entry.id),
        "what": f"{_SINGULAR[entry.act.topic]} {entry.act.action.replace('-', ' ')}",
        "subject": entry.act.subject,
        "detail": entry.act.detail,
        "who": _who(entry.author),
        "peer": entry.author.peer,
    }


def _who(author: Author) -> str:
    if author.kind == "login":
        return author.name
    if author.kind == "key":
        return f"API key {author.name}"
    return "An operator" if author.kind == "operator" else "The server"
