"""What the answer to a message begins with."""

import re
from typing import Final

import msgspec

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import ParsedMessage

MAX_QUOTED_CHARACTERS: Final = 20_000
MAX_REFERENCES: Final = 20
"""Of a long exchange the first message and the newest ones are named."""

_ID: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_SPECIAL: Final = re.compile(r'(["\\])')
_ANSWERS: Final = re.compile(r"re\s?:", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a message that answers another one, as they are shown in a form."""

    to: str
    subject: str
    text: str
    in_reply_to: str
    references: str


def answer_to(parsed: ParsedMessage) -> Answer:
    """To whom it goes and what is quoted (RFC 5322 section 3.6.4). Runs in any thread."""
    replies = _first(parsed, "reply-to")
    wanted = addresses.parse(replies)[0] if replies else ()
    people = [one for one in wanted if one.address] or list(parsed.sender)
    references = _ID.findall(_first(parsed, "references") or _first(parsed, "in-reply-to"))
    own = f"<{parsed.message_id}>" if parsed.message_id else ""
    ids = [*references, *(_ID.findall(own))]
    kept = ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]
    subject = _CONTROL.sub("", parsed.subject)
    return Answer(
        to=", ".join(map(_written, people[:MAX_REFERENCES])),
        subject=subject if _ANSWERS.match(subject) else f"Re: {subject}".rstrip(),
        text=_quoted(parsed),
        in_reply_to=own if _ID.fullmatch(own) else "",
        references=" ".join(kept),
    )


def _quoted(parsed: ParsedMessage) -> str:
    text = _CONTROL.sub("", text_of(parsed)[:MAX_QUOTED_CHARACTERS]).rstrip()
    if not text:
        return ""
    who = ", ".join(one.name or one.address for one in parsed.sender[:3]) or "Somebody"
    when = parsed.date.strftime(" on %Y-%m-%d at %H:%M UTC") if parsed.date else ""
    lines = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    return f"\n\n{_CONTROL.sub('', who)}{when}:\n{lines}\n"


def _written(mailbox: Mailbox) -> str:
    name = _CONTROL.sub("", mailbox.name)
    quoted = _SPECIAL.sub(r"\\\1", name)
    return f'"{quoted}" <{mailbox.address}>' if name else mailbox.address


def _first(parsed: ParsedMessage, wanted: str) -> str:
    return next((value for name, value in parsed.headers if name.lower() == wanted), "")
