"""A message as a few lines for Slack, and for what takes the same: Mattermost, Discord, …"""

from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote

import msgspec

from mailsacd.core.message import Message
from mailsacd.core.message_form import Mailboxes, heading
from mailsacd.mime.extract import text_of_stored
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.work.threads import Lane

MAX_SUBJECT_CHARACTERS: Final = 300
MAX_PEOPLE: Final = 5
MAX_PERSON_CHARACTERS: Final = 120
MAX_SNIPPET_CHARACTERS: Final = 500
_LOOKED_AT: Final = 10_000  # characters of the text that a snippet is made from

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_encode = msgspec.json.Encoder().encode


class SlackForms:
    """Makes them, of large messages in ``lane``. ``public_url`` tells the start of links to
    messages, and nothing while it is not known.
    """

    def __init__(self, lane: Lane, public_url: Callable[[], str] = str) -> None:
        self._lane = lane
        self._public_url = public_url

    async def form(self, message: Message, stored: bytes, *, with_people: bool) -> bytes:
        """As `slack_form`. Raises OverloadedError when too many large messages wait."""
        public_url = self._public_url()
        work = partial(slack_form, message, stored, with_people=with_people, public_url=public_url)
        return await self._lane.run(expanded_bytes(stored), work)


def slack_form(message: Message, stored: bytes, *, with_people: bool, public_url: str) -> bytes:
    """The JSON that an incoming webhook of Slack takes; ``stored`` is the compressed raw message.

    Without ``with_people`` it names neither sender nor recipient, and the link, which would, goes
    to the server's front page. There is a link if the server's ``public_url`` is known.
    """
    head = heading(message.facts)
    lines = [f"*{_clear(head.subject, MAX_SUBJECT_CHARACTERS) or '(no subject)'}*"]
    if with_people:
        lines.append(f"From: {_people(head.sender)}")
        lines.append(f"To: {_people(head.to)}")
        if head.original_inbox != message.inbox or not _names(head.to, message.inbox):
            lines.append(f"Inbox: {_clear(message.inbox, MAX_PERSON_CHARACTERS)}")
    snippet = _clear(text_of_stored(expand(stored))[:_LOOKED_AT], MAX_SNIPPET_CHARACTERS)
    if snippet:
        lines.append(snippet)
    if public_url:
        path = f"/api/body/{quote(message.inbox, safe='@')}/{message.id}" if with_people else "/"
        lines.append(f"<{public_url}{path}|Open the message>")
    # Looking at links for a preview would use up those that are good for one look
    return _encode({"text": "\n".join(lines), "unfurl_links": False, "unfurl_media": False})


def _people(mailboxes: Mailboxes) -> str:
    shown = [
        _clear(f"{m.name} <{m.address}>" if m.name else m.address, MAX_PERSON_CHARACTERS)
        for m in mailboxes[:MAX_PEOPLE]
    ]
    more = len(mailboxes) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _names(mailboxes: Mailboxes, inbox: str) -> bool:
    return any(m.address.lower() == inbox for m in mailboxes)


def _clear(text: str, most: int) -> str:
    """``text`` on one line, cut to ``most`` characters, with Slack's own signs escaped.

    So it makes no links and calls nobody (`<!channel>`).
    """
    line = " ".join(text.split())
    if len(line) > most:
        line = line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return line.translate(_ESCAPES)
