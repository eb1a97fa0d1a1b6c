"""One mail transaction (RFC 5321 section 3.3): each recipient gets exactly one outcome."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mailsacd.core.outcome import Outcome
from mailsacd.outbound.smtp import commands
from mailsacd.outbound.smtp.conversation import (
    BrokenOffError,
    Send,
    Stage,
    Steps,
    ask,
    refusal,
    reply_to,
)
from mailsacd.outbound.smtp.extensions import Extensions
from mailsacd.outbound.smtp.reply import Reply
from mailsacd.outbound.smtp.transmission import Transmission
from mailsacd.outbound.smtp.wire import stuffed

TOO_MANY: Final = "4.5.3"
"""The status of a recipient that is one too many for this transaction alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A transmission with its message as it goes to this host: ``text`` of `wire.prepared`."""

    sent: Transmission
    text: bytes


class Transaction:
    """The steps of it. ``needs_reset`` tells that RSET has to come before the next one."""

    def __init__(
        self, prepared: Prepared, offered: Extensions, host: str, *, after_failure: bool
    ) -> None:
        self._sent = prepared.sent
        self._text = prepared.text
        self._offered = offered
        self._host = host
        self._reset_first = after_failure
        self._outcomes: list[Outcome | None] = [None] * len(prepared.sent.recipients)
        self._sent_whole = False
        self.needs_reset = after_failure
        self.is_sent = True
        """Whether all of what was said has left; set before each answer is taken."""
        self.is_over = False

    def steps(self) -> Steps[tuple[Outcome, ...]]:
        """Return the outcomes, one a recipient in their order; ``is_over`` tells that the session
        is, too."""
        try:
            yield from self._transact()
        except BrokenOffError as e:
            self.is_over = True
            may_have_arrived = self._sent_whole and e.is_silent
            self._settle(e.outcome(self._host, may_have_arrived=may_have_arrived))
        return tuple(outcome for outcome in self._outcomes if outcome is not None)

    def _transact(self) -> Steps[None]:
        self._refuse_what_cannot_go()
        asked = [i for i, outcome in enumerate(self._outcomes) if outcome is None]
        if not asked:
            return
        try:
            mail = commands.mail(
                self._sent, len(self._text), self._offered, eight_bit=not self._text.isascii()
            )
        except commands.BadPathError:
            self._settle(self._ours("5.1.7", "The sender's address cannot be sent"))
            return
        yield from self._envelope(mail, asked)
        if None in self._outcomes:
            yield from self._content()

    def _refuse_what_cannot_go(self) -> None:
        offered, sent = self._offered, self._sent
        limit = offered.max_bytes
        if limit is not None and len(self._text) > limit:
            told = f"The message has {len(self._text)} bytes, and {limit} are taken"
            self._settle(self._ours("5.3.4", told))
        if not offered.smtputf8 and (sent.smtputf8 or not sent.reverse_path.isascii()):
            self._settle(self._ours("5.6.7", "The host does not take such addresses (SMTPUTF8)"))
        for place, recipient in enumerate(sent.recipients):
            if self._outcomes[place] is not None:
                continue
            if not recipient.address.isascii() and not offered.smtputf8:
                told = "The host does not take such addresses (SMTPUTF8)"
                self._outcomes[place] = self._ours("5.6.7", told)
                continue
            try:
                commands.rcpt(recipient, offered)
            except commands.BadPathError:
                self._outcomes[place] = self._ours("5.1.3", "The address cannot be sent")

    def _envelope(self, mail: bytes, asked: list[int]) -> Steps[None]:
        """RSET, MAIL and RCPT: at once where that is offered (RFC 2920)."""
        recipients = self._sent.recipients
        lines = [(mail, Stage.MAIL)]
        lines += [(commands.rcpt(recipients[i], self._offered), Stage.RCPT) for i in asked]
        if self._reset_first:
            lines.insert(0, (b"RSET\r\n", Stage.RESET))
        if self._offered.pipelining:
            yield Send(b"".join(line for line, _ in lines))
        self.needs_reset = True
        places = iter(asked)
        for line, stage in lines:
            if not self._offered.pipelining:
                yield Send(line)
            answer = yield from reply_to(stage)
            if stage is Stage.RCPT:
                self._take_recipient(next(places), answer)
            elif not answer.is_positive:
                self._settle(refusal(answer, stage, self._host))
                if not self._offered.pipelining:
                    return

    def _take_recipient(self, place: int, answer: Reply) -> None:
        if answer.is_positive or self._outcomes[place] is not None:
            return
        if answer.code == 552 and answer.status in {"", "5.5.3"}:
            # RFC 5321 section 4.5.3.1.10: it means 452
            answer = Reply(452, (f"{TOO_MANY} {answer.text}",))
        self._outcomes[place] = refusal(answer, Stage.RCPT, self._host)

    def _content(self) -> Steps[None]:
        if self._offered.chunking:  # RFC 3030
            yield Send(b"BDAT %d LAST\r\n" % len(self._text))
            whole = self._text
        else:
            answer = yield from ask(b"DATA\r\n", Stage.DATA)
            if answer.code != 354:
                self._settle(refusal(answer, Stage.DATA, self._host))
                return
            whole = stuffed(self._text)
        self._sent_whole = True
        answer = yield from ask(whole, Stage.END)
        self._sent_whole = False
        self.needs_reset = False
        if not self.is_sent:
            self._end_within_message(answer)
        elif answer.is_positive:
            self._settle(self._delivered(answer))
        else:
            self._settle(refusal(answer, Stage.END, self._host))

    def _end_within_message(self, answer: Reply) -> None:
        """A refusal counts, an acceptance does not; no command can follow what is half sent."""
        if answer.is_positive:
            raise BrokenOffError("It answers before it has the message", status="4.5.0")
        told = refusal(answer, Stage.END, self._host)
        raise BrokenOffError(told.text, code=told.code, status=told.status)

    def _delivered(self, answer: Reply) -> Outcome:
        return Outcome(
            code=answer.code,
            status=answer.status or "2.0.0",
            text=answer.text,
            host=self._host,
            is_dsn_passed_on=self._offered.dsn,
        )

    def _ours(self, status: str, text: str) -> Outcome:
        return Outcome(code=None, status=status, text=text, host=self._host)

    def _settle(self, outcome: Outcome) -> None:
        """Give ``outcome`` to all that have none."""
        self._outcomes = [o if o is not None else outcome for o in self._outcomes]


def are_too_many(outcomes: Iterable[Outcome]) -> list[int]:
    """The places of those that were refused for their number alone, if others were taken."""
    told = list(outcomes)
    if not any(outcome.kind == "delivered" for outcome in told):
        return []
    return [place for place, outcome in enumerate(told) if outcome.status == TOO_MANY]
