"""The calls about a message's attachments."""

import re
from functools import partial
from typing import Final

from mailsacd.core.errors import NotFoundError
from mailsacd.http.api import schemas
from mailsacd.http.api.disposition import attachment_disposition
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import ATTACHMENT, EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mime.parse import Attachment, ParsedMessage

_TAG: Final = "Attachments"
_REFUSALS: Final = (400, 401, 403, 404, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS, within_scope=True)
_LIST: Final = "/api/addresses/{email}/messages/{messageId}/attachments"
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}\Z")
_UNKNOWN_TYPE: Final = "application/octet-stream"
# As browsers tell them (MIME Sniffing standard, "JavaScript MIME type")
_SCRIPT_TYPE: Final = re.compile(r"(?:application|text)/(?:x-)?(?:java|ecma|j|live)script[\d.]*\Z")
_NO_SCRIPT: Final = "text/plain"


class AttachmentCalls:
    """The handlers of the calls about a message's attachments, and their declarations."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about a message's attachments."""
        one = f"{_LIST}/{{attachmentIdentifier}}"
        return (
            _operation(
                method="GET",
                path=_LIST,
                id="listAttachments",
                summary="What is attached to a message",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Attachment"))),
                ),
                handler=self.list,
            ),
            self._download(one, "getAttachment"),
            self._download(f"{one}/download", "downloadAttachment"),
        )

    def _download(self, path: str, operation_id: str) -> Operation:
        return _operation(
            method="GET",
            path=path,
            id=operation_id,
            summary="An attachment's decoded bytes, to be saved as a file",
            parameters=(EMAIL, MESSAGE_ID, ATTACHMENT),
            answers=(schemas.media_answer("The bytes, under their own media type", "*/*"),),
            handler=self.download,
        )

    async def list(self, call: Call) -> Response:
        """Answer with a description of each attachment, in the order of the message."""
        parsed = await self._parsed(call)
        return json_response([_described(a) for a in parsed.attachments])

    async def download(self, call: Call) -> Response:
        """Answer with an attachment's decoded bytes. Raises NotFoundError when there is none."""
        parsed = await self._parsed(call)
        return attachment_response(_find(parsed.attachments, call["attachmentIdentifier"]))

    async def _parsed(self, call: Call) -> ParsedMessage:
        return await self._mailbox.parsed(call.actor, call["email"], call["messageId"])


def attachment_response(found: Attachment) -> Response:
    """An answer with the bytes of ``found``, to be saved as a file.

    Whatever their type is, no browser shows them on our origin, and a script is a text: else a page
    of ours might run it, with all policies kept, if anybody ever found a way to name it there.
    """
    media_type = (found.content_type or "").partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.match(media_type):
        media_type = _UNKNOWN_TYPE
    if _SCRIPT_TYPE.match(media_type):
        media_type = _NO_SCRIPT
    return Response(
        found.content,
        media_type.encode("ascii"),
        headers=(
            (b"Content-Disposition", attachment_disposition(found.file_name or "")),
            (b"Content-Security-Policy", b"sandbox; default-src 'none'"),
            (b"Referrer-Policy", b"no-referrer"),
        ),
    )


def _described(attachment: Attachment) -> dict[str, str | int | None]:
    return {
        "checksum": attachment.checksum,
        "contentDisposition": attachment.disposition,
        "contentId": attachment.content_id,
        "contentType": attachment.content_type,
        "fileName": attachment.file_name,
        "length": len(attachment.content),
        "transferEncoding": attachment.transfer_encoding,
    }


def _find(attachments: tuple[Attachment, ...], identifier: str) -> Attachment:
    """By checksum, else by content-id, else by file name. Raises NotFoundError."""
    checksum, content_id = identifier.lower(), _bare(identifier)
    found = [
        *(a for a in attachments if a.checksum == checksum),
        *(a for a in attachments if a.content_id and _bare(a.content_id) == content_id),
        *(a for a in attachments if a.file_name == identifier),
    ]
    if not found:
        raise NotFoundError("There is no such attachment in this message")
    return found[0]


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")
