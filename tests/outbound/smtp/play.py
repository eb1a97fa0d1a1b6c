"""Plays scripts of what a client has to say, and what it is answered, to a pure session."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.outbound.smtp.conversation import BeginTls, Send
from mailsacd.outbound.smtp.opening import ClientRules, TlsUse
from mailsacd.outbound.smtp.session import Done, Opened, Over, Session
from mailsacd.outbound.smtp.transaction import Prepared
from mailsacd.outbound.smtp.transmission import Transmission
from mailsacd.outbound.smtp.wire import with_crlf

TLS = BeginTls.NOW
"""In a script: TLS begins, and what stands beside it was sent before the handshake."""

HANG_UP = None
"""In a script: the connection is lost."""

Script = Sequence[tuple[bytes | BeginTls, bytes | None]]

RULES = ClientRules(hostname="me.example", host="mx.example")
MESSAGE = b"Subject: x\r\n\r\nHello\r\n"
EHLO = b"EHLO me.example\r\n"


def transmission(
    *recipients: str, content: bytes = MESSAGE, reverse_path: str = "a@b.example", **more: Any
) -> Transmission:
    """A message to ``recipients``."""
    to = tuple(OutgoingRecipient(address=r) for r in recipients or ("c@d.example",))
    sent = Transmission(reverse_path=reverse_path, recipients=to, content=content)
    return replace(sent, **more)


@dataclass
class Play:
    """What came of it. ``outcomes`` has a tuple a transmission."""

    session: Session
    transmissions: list[Transmission]
    opened: bool = False
    outcomes: list[tuple[Outcome, ...]] = field(default_factory=list)
    failed: Outcome | None = None
    over: bool = False
    said: bytes = b""
    begins_tls: bool = False
    leaves: bool = True

    def run(self) -> None:
        while (action := self.session.next_action()) is not None:
            assert not self.over, "it goes on after its end"
            if isinstance(action, Send):
                self.said += action.data
            elif isinstance(action, BeginTls):
                self.begins_tls = True
            elif isinstance(action, Over):
                self.over, self.failed = True, action.outcome
            else:
                if isinstance(action, Done):
                    self.outcomes.append(action.outcomes)
                self.opened = self.opened or isinstance(action, Opened)
                self._next()

    def _next(self) -> None:
        if self.session.is_ready and self.transmissions:
            sent = self.transmissions.pop(0)
            self.session.transmit(Prepared(sent=sent, text=with_crlf(sent.content)))
        elif self.session.is_ready and self.leaves:
            self.session.quit()


def played(script: Script, *transmissions: Transmission, rules: ClientRules = RULES) -> Play:
    """The end of ``script``, which is the same however the answers are cut."""
    whole = play_once(script, transmissions, rules, cut=False)
    single = play_once(script, transmissions, rules, cut=True)
    assert (whole.outcomes, whole.failed, whole.over, whole.opened) == (
        single.outcomes, single.failed, single.over, single.opened,
    )  # fmt: skip
    return whole


def play_once(
    script: Script, transmissions: Sequence[Transmission], rules: ClientRules, *, cut: bool
) -> Play:
    """The end of ``script``, with answers that come whole or, ``cut``, in single bytes."""
    play = Play(Session(rules), list(transmissions))
    play.run()
    for wanted, answer in script:
        if isinstance(wanted, BeginTls):
            assert play.begins_tls
            assert play.said == b""
            play.begins_tls = False
            play.session.receive(answer or b"")
            play.session.tls_begun()
        else:
            assert play.said == wanted
            play.said = b""
            if answer is None:
                play.session.lost("Lost")
            else:
                for piece in [bytes([b]) for b in answer] if cut else [answer]:
                    play.session.receive(piece)
                    play.run()
        play.run()
    assert play.said == b""
    return play


def tls(use: TlsUse) -> ClientRules:
    """Rules that begin TLS so."""
    return replace(RULES, tls=use)
