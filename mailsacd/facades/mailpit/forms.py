"""Messages as Mailpit writes them in JSON. The names of fields are its own."""

from collections.abc import Iterable, Sequence
from typing import Any

from mailsacd.core.message_form import Mailbox
from mailsacd.core.token import iso_time, iso_time_from_ms
from mailsacd.facades.mailpit.contents import (
    Contents,
    Extract,
    unsubscribe_fault,
    unsubscribe_links,
)
from mailsacd.mail.reading.all_mail import Mail

Json = dict[str, Any]


def summary(mail: Mail, extract: Extract) -> Json:
    """A message as lists and the event ``new`` have it."""
    copy = mail.first
    return {
        "ID": mail.id,
        "MessageID": extract.message_id,
        "Read": mail.is_read,
        **_people(mail, extract),
        "Subject": copy.subject,
        "Created": iso_time(copy.received),
        "Username": copy.saved_by or "",
        "Tags": list(mail.labels),
        "Size": copy.size,
        "Attachments": extract.attachments,
        "Snippet": extract.snippet,
    }


def whole(mail: Mail, contents: Contents) -> Json:
    """A message with its texts and what is attached."""
    copy = mail.first
    sender = copy.sender[0].address
    date_ms = contents.date_ms
    return {
        "ID": mail.id,
        "MessageID": contents.extract.message_id,
        **_people(mail, contents.extract),
        "ReturnPath": contents.return_path or sender,
        "Subject": copy.subject,
        "ListUnsubscribe": {
            "Header": contents.unsubscribe,
            "Links": unsubscribe_links(contents.unsubscribe),
            "Errors": unsubscribe_fault(contents.unsubscribe),
            "HeaderPost": contents.unsubscribe_post,
        },
        "Date": iso_time(copy.received) if date_ms is None else iso_time_from_ms(int(date_ms)),
        "Tags": list(mail.labels),
        "Username": copy.saved_by or "",
        "Text": contents.text,
        "HTML": contents.html,
        "Size": copy.size,
        "Inline": contents.inline,
        "Attachments": contents.attachments,
    }


def page(mails: Sequence[Mail], shown: Sequence[Json], start: int, found: Sequence[Mail]) -> Json:
    """A page of those ``found`` among all ``mails``: those ``shown``, from ``start`` on."""
    return {
        "total": len(mails),
        "unread": unread(mails),
        "count": len(shown),
        "messages_count": len(found),
        "messages_unread": unread(found),
        "start": start,
        "tags": tags(mails),
        "messages": shown,
    }


def stats(mails: Sequence[Mail], version: str) -> Json:
    """How much there is, as the event ``stats`` tells."""
    return {"Total": len(mails), "Unread": unread(mails), "Version": version}


def unread(mails: Iterable[Mail]) -> int:
    """How many of ``mails`` nobody has read."""
    return sum(not mail.is_read for mail in mails)


def tags(mails: Iterable[Mail]) -> list[str]:
    """The labels of ``mails``, each once, in order."""
    return sorted({label for mail in mails for label in mail.labels}, key=str.lower)


def bcc_of(mail: Mail) -> list[Mailbox]:
    """Who is named in Bcc, and recipients of whom no field tells."""
    copy = mail.first
    named = {each.address for each in (*(copy.to or ()), *(copy.cc or ()), *(copy.bcc or ()))}
    others = dict.fromkeys(each.original_inbox for each in mail.copies)
    hidden = [Mailbox(address, "") for address in others if address not in named]
    return [*(copy.bcc or ()), *hidden]


def _people(mail: Mail, extract: Extract) -> Json:
    copy = mail.first
    return {
        "From": _address(copy.sender[0]),
        "To": _addresses(copy.to),
        "Cc": _addresses(copy.cc),
        "Bcc": _addresses(bcc_of(mail)),
        "ReplyTo": _addresses(extract.reply_to),
    }


def _addresses(mailboxes: Iterable[Mailbox] | None) -> list[Json]:
    return [_address(mailbox) for mailbox in mailboxes or ()]


def _address(mailbox: Mailbox) -> Json:
    return {"Name": mailbox.name, "Address": mailbox.address}
