"""What an account's mail is searched for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a message has to have, all of it; None: it does not matter.

    ``anywhere`` is a part of the subject, or of a sender's or recipient's name or address;
    the next three are each a part of one of these. ``read``: whether it is marked as read.
    ``folder`` is the one that it is in, ``label`` one that it has, as they are.
    """

    anywhere: str | None = None
    subject: str | None = None
    sender: str | None = None
    recipients: str | None = None
    read: bool | None = None
    folder: str | None = None
    label: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that are searched for."""
        given = (self.anywhere, self.subject, self.sender, self.recipients)
        return tuple(text for text in given if text is not None)
