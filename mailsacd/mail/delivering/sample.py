"""The message that a test of a webhook posts: it looks like any other, and is stored nowhere.

It is made anew for each attempt, the same each time.
"""

from typing import Final

from mailsacd.core.address import inbox_of
from mailsacd.core.message import Message
from mailsacd.core.message_form import UNTOUCHED, Facts, Mailbox, facts_text
from mailsacd.core.token import iso_time, time_of

SUBJECT: Final = "A test of your webhook"

_TEXT: Final = "This is what is posted when mail comes in. No message was stored for this test.\r\n"
_DATE: Final = "%a, %d %b %Y %H:%M:%S +0000"
_HERE: Final = "127.0.0.1"


def sample(address: str, message_id: str) -> tuple[Message, bytes]:
    """A message to ``address`` with that id, and the raw message."""
    when = time_of(message_id)
    head = (
        f"From: {address}\r\nTo: {address}\r\nSubject: {SUBJECT}\r\nDate: {when:{_DATE}}\r\n"
        f"Message-ID: <{message_id}@webhook-test.invalid>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    raw = (head + _TEXT).encode()
    facts = Facts(
        id=message_id,
        inbox=address,
        original_inbox=address,
        domain=inbox_of(address).domain,
        to=(Mailbox(address, ""),),
        sender=(Mailbox(address, ""),),
        cc=None,
        bcc=None,
        subject=SUBJECT,
        received=iso_time(when),
        size=len(raw),
        ip=_HERE,
        via=_HERE,
        rtls=False,
        spam=0,
        attachments=None,
        links=(),
        parse_limited=False,
    )
    message = Message(inbox=address, id=message_id, facts=facts_text(facts), marks=UNTOUCHED)
    return message, raw
