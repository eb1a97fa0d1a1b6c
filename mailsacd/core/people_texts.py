"""The texts about people that a message is found by, for searches and for whoever waits.

Each name and address is a text of its own: what is looked for is within one of them. Bcc is not
among them, as it is not in the database's columns (store/schema).
"""

from collections.abc import Iterator

from mailsacd.core.message_form import Mailboxes, Outline


def sender_texts(message: Outline) -> Iterator[str]:
    """Yield the names and addresses of From."""
    yield from _texts(message.sender)


def recipient_texts(message: Outline) -> Iterator[str]:
    """Yield the address as it was mailed, the inbox, and the names and addresses of To and Cc."""
    yield message.original_inbox
    yield message.inbox
    yield from _texts(message.to or ())
    yield from _texts(message.cc or ())


def _texts(mailboxes: Mailboxes) -> Iterator[str]:
    for mailbox in mailboxes:
        yield mailbox.name
        yield mailbox.address
