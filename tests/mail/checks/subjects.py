"""Messages to be checked."""

from collections.abc import Mapping
from email.message import EmailMessage

from mailsacd.mail.checks.check import Subject

FIELDS = {
    "From": "Shop <shop@example.com>",
    "To": "bob@example.org",
    "Subject": "Your order",
    "Date": "Sun, 29 Nov 2026 18:05:12 +0000",
    "Message-ID": "<1@example.com>",
}


def subject(
    text: str | None = "Hello\n",
    html: str | None = None,
    fields: Mapping[str, str] = FIELDS,
    attachment: bytes | None = None,
) -> Subject:
    """A message with these texts."""
    message = EmailMessage()
    for name, value in fields.items():
        message[name] = value
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    if attachment is not None:
        message.add_attachment(attachment, maintype="application", subtype="pdf", filename="a.pdf")
    return Subject(bytes(message).replace(b"\n", b"\r\n"))
