"""Tells the use cases what becomes of the mail of one session: what is refused, what is traced."""

import secrets
from collections.abc import Sequence

from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import STORED, Reply
from mailsacd.core.trace import MESSAGE, RECIPIENT
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.services import WitnessesMail

_PERMANENT_OR_NOT_NOW = 400  # codes from here on are refusals (RFC 5321 section 4.2.1)


class SessionWitness:
    """The Witness of a session with the peer at ``peer_ip``."""

    __slots__ = ("_mail", "_name", "_peer_ip")

    def __init__(self, mail: WitnessesMail, peer_ip: str) -> None:
        self._mail = mail
        self._peer_ip = peer_ip
        self._name = ""

    def recipient(
        self, conversation: Conversation, recipient: Recipient | None, answer: Reply
    ) -> None:
        """A RCPT command is answered: its mail goes to ``recipient``, or is refused (None)."""
        if not self._mail.traces:
            return
        path = conversation.asked
        names = {path.lower()}
        goes = ""
        if recipient is not None:
            names |= {recipient.original_inbox, recipient.inbox, *recipient.passed}
            goes = f", into {recipient.inbox}"
        how = "with TLS" if conversation.tls else "without TLS"
        self._mail.step(
            names,
            RECIPIENT,
            f"{self._peer_ip} ({conversation.helo}, {how}) from "
            f"<{conversation.transaction.reverse_path}> to <{path}>{goes}: {_said(answer)}",
            self._session(),
        )

    def message(self, conversation: Conversation, answer: Reply) -> None:
        """A message is answered: stored, or refused."""
        recipients = conversation.transaction.recipients
        if answer.code >= _PERMANENT_OR_NOT_NOW and recipients:
            self._mail.refused(recipients, answer.code, answer.lines[-1])
        if self._mail.traces:
            envelope_id = answer.lines[-1].rpartition(" ")[2] if answer.code == STORED.code else ""
            names = _names(recipients)
            self._mail.step(names, MESSAGE, _said(answer), self._session(), envelope_id)

    def _session(self) -> str:
        self._name = self._name or secrets.token_hex(4)
        return self._name


def _names(recipients: Sequence[Recipient]) -> set[str]:
    return {name for r in recipients for name in (r.original_inbox, r.inbox, *r.passed)}


def _said(answer: Reply) -> str:
    return f"{answer.code} {answer.enhanced} {answer.lines[-1]}"
