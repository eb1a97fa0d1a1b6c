"""A client of mailsacd, for programs that wait (`Client`) and for asyncio (`AsyncClient`)."""

from mailsacd_client.async_client import AsyncClient
from mailsacd_client.client import Client
from mailsacd_client.conditions import Conditions, OutgoingMail
from mailsacd_client.errors import (
    ApiError,
    BadRequestError,
    ConnectionFailedError,
    Fault,
    ForbiddenError,
    MailsacdError,
    NearMiss,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    WaitTimeoutError,
)
from mailsacd_client.models import (
    Attachment,
    Check,
    CheckReason,
    Checks,
    Codes,
    Evidence,
    FoundCode,
    FoundLink,
    Mailbox,
    Message,
    Place,
    Run,
    Sent,
    Stored,
)

__all__ = [
    "Client", "AsyncClient", "Conditions", "OutgoingMail",
    "Message", "Mailbox", "Place", "Stored", "Attachment", "Codes", "FoundCode", "FoundLink",
    "Checks", "Check", "CheckReason", "Evidence", "Sent", "Run",
    "MailsacdError", "ConnectionFailedError", "ApiError", "BadRequestError", "UnauthorizedError",
    "ForbiddenError", "NotFoundError", "WaitTimeoutError", "NearMiss", "Fault",
    "TooManyRequestsError", "UnavailableError",
]  # fmt: skip
