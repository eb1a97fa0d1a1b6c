"""The calls about what people do to messages: stars, labels, folders, read marks."""

from functools import partial
from typing import Annotated, Final

import msgspec

from mailsacd.core.message import MAX_LABEL_CHARACTERS, MAX_LABELS, Message
from mailsacd.core.message_form import FOLDERS
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID, Parameter, text_up_to, yes_or_no
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.marks import Marks

_TAG: Final = "Messages"
_REFUSALS: Final = (400, 401, 403, 404, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_MESSAGE: Final = "/api/addresses/{email}/messages/{messageId}"
_NO_CONTROL: Final = r"^[^\x00-\x1f\x7f]*$"

LABEL: Final = Parameter(
    name="label",
    where="path",
    description="The label, URL-encoded.",
    schema={
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LABEL_CHARACTERS,
        "pattern": _NO_CONTROL,
        "examples": ["billing"],
    },
    convert=text_up_to(MAX_LABEL_CHARACTERS),
)
FOLDER: Final = Parameter(
    name="folder",
    where="path",
    description="The folder to put it into.",
    schema={"type": "string", "enum": list(FOLDERS)},
    convert=str,
)
READ: Final = Parameter(
    name="readBoolean",
    where="path",
    description="Whether it is read.",
    schema={"type": "string", "enum": ["true", "false", "1", "0"]},
    convert=yes_or_no,
)


class LabelsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The labels that a message is to have."""

    labels: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL_CHARACTERS)]],
        msgspec.Meta(max_length=MAX_LABELS),
    ]


_LABELS: Final = (schemas.json_answer("Its labels now", schemas.named("MessageLabels")),)


class MarkCalls:
    """The handlers of the calls about what messages are marked with, and their declarations."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about what messages are marked with."""
        return (
            self._starring(),
            self._replacing_labels(),
            *self._labelling(),
            self._moving(),
            *self._reading(),
        )

    def _starring(self) -> Operation:
        return _operation(
            method="PUT",
            path=f"{_MESSAGE}/star",
            id="toggleStar",
            summary="Star a message, or take the star off",
            description="A starred message is seen by the account that starred it alone, and is "
            "not deleted by a purge.",
            parameters=(EMAIL, MESSAGE_ID),
            answers=(schemas.json_answer("As it is now", schemas.named("Message")),),
            handler=self.star,
        )

    def _labelling(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="PUT",
                path=f"{_MESSAGE}/labels/{{label}}",
                id="addLabel",
                summary="Label a message; once more changes nothing",
                parameters=(EMAIL, MESSAGE_ID, LABEL),
                answers=_LABELS,
                handler=self.add_label,
            ),
            _operation(
                method="DELETE",
                path=f"{_MESSAGE}/labels/{{label}}",
                id="removeLabel",
                summary="Take a label off a message; once more changes nothing",
                parameters=(EMAIL, MESSAGE_ID, LABEL),
                answers=_LABELS,
                handler=self.remove_label,
            ),
        )

    def _replacing_labels(self) -> Operation:
        return _operation(
            method="PUT",
            path=f"{_MESSAGE}/labels",
            id="replaceLabels",
            summary="Replace the labels of a message",
            parameters=(EMAIL, MESSAGE_ID),
            body=LabelsBody,
            answers=_LABELS,
            handler=self.replace_labels,
        )

    def _reading(self) -> tuple[Operation, ...]:
        read = (schemas.json_answer("Whether it is now", schemas.named("MessageRead")),)
        return (
            _operation(
                method="PUT",
                path=f"{_MESSAGE}/read",
                id="markRead",
                summary="Mark a message as read",
                parameters=(EMAIL, MESSAGE_ID),
                answers=read,
                handler=self.mark_read,
            ),
            _operation(
                method="PUT",
                path=f"{_MESSAGE}/read/{{readBoolean}}",
                id="setRead",
                summary="Mark a message as read, or as not",
                parameters=(EMAIL, MESSAGE_ID, READ),
                answers=read,
                handler=self.set_read,
            ),
        )

    def _moving(self) -> Operation:
        return _operation(
            method="PUT",
            path=f"{_MESSAGE}/folder/{{folder}}",
            id="moveMessage",
            summary="Put a message into a folder",
            parameters=(EMAIL, MESSAGE_ID, FOLDER),
            answers=(schemas.json_answer("Its folder now", schemas.named("MessageFolder")),),
            handler=self.move,
        )

    async def star(self, call: Call) -> Response:
        """Star a message or take the star off, and answer with it in the list form."""
        message = await self._marks.toggle_star(call.actor, call["email"], call["messageId"])
        return Response(message.as_json())

    async def replace_labels(self, call: Call) -> Response:
        """Give a message the labels of the body alone, and answer ``{_id, labels}``."""
        return _labels(
            await self._marks.replace_labels(
                call.actor, call["email"], call["messageId"], call.body.labels
            )
        )

    async def add_label(self, call: Call) -> Response:
        """Label a message, and answer ``{_id, labels}``."""
        return _labels(
            await self._marks.add_label(call.actor, call["email"], call["messageId"], call["label"])
        )

    async def remove_label(self, call: Call) -> Response:
        """Take a label off a message, and answer ``{_id, labels}``."""
        return _labels(
            await self._marks.remove_label(
                call.actor, call["email"], call["messageId"], call["label"]
            )
        )

    async def move(self, call: Call) -> Response:
        """Put a message into a folder, and answer ``{_id, folder}``."""
        message = await self._marks.move(
            call.actor, call["email"], call["messageId"], call["folder"]
        )
        return json_response({"_id": message.id, "folder": message.marks.folder})

    async def mark_read(self, call: Call) -> Response:
        """Mark a message as read, and answer ``{_id, read}``."""
        return await self._read(call, read=True)

    async def set_read(self, call: Call) -> Response:
        """Mark a message as read or as not, and answer ``{_id, read}``."""
        return await self._read(call, read=call["readBoolean"])

    async def _read(self, call: Call, *, read: bool) -> Response:
        message = await self._marks.set_read(
            call.actor, call["email"], call["messageId"], read=read
        )
        return json_response({"_id": message.id, "read": message.marks.read})


def _labels(message: Message) -> Response:
    return json_response({"_id": message.id, "labels": message.marks.labels})
