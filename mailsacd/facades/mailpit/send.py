"""Mailpit's call by which programs hand a message in."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.errors import InvalidInputError, NotFoundError
from mailsacd.facades.mailpit.messages import clean_tags
from mailsacd.facades.mailpit.sent_message import Limits, Sent, message_of, recipients_of
from mailsacd.facades.mailpit.shelf import Shelf
from mailsacd.facades.routes import body_as, route
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.receiving.hand_in import HandIn
from mailsacd.work.threads import Lane

SEND: Final = "/api/v1/send"


class SendCalls:
    """The handler of the call, and its declaration."""

    def __init__(self, shelf: Shelf, hand_in: HandIn, limits: Limits, lane: Lane) -> None:
        """Messages are made in ``lane``."""
        self._shelf = shelf
        self._hand_in = hand_in
        self._limits = limits
        self._lane = lane

    def operations(self) -> tuple[Operation, ...]:
        """Declare the call that sends."""
        most = 2 * self._limits.max_bytes
        return (route("POST", SEND, self.send, within_scope=False, max_body_bytes=most),)

    async def send(self, call: Call) -> Response:
        """Take a message in as if it had come by SMTP: nothing is sent anywhere.

        What is wrong is told as ``{"Error": …}``.
        """
        await self._shelf.mail.sees_public(call.actor)  # who sees nothing here hands nothing in
        making = partial(_made, call, self._limits)
        try:
            sent, tags, content = await self._lane.run_in_thread(making)
            envelope_id = await self._hand_in.store(
                call.actor.at(call.peer), sent.sender.email, recipients_of(sent), content
            )
        except InvalidInputError as e:
            return json_response({"Error": e.public}, HTTPStatus.BAD_REQUEST)
        if tags:
            await self._tag(call.actor, envelope_id, tags)
        return json_response({"ID": envelope_id})

    async def _tag(self, actor: Actor, envelope_id: str, tags: Sequence[str]) -> None:
        """Label a message, unless the actor does not see it."""
        with suppress(NotFoundError):
            mail = await self._shelf.mail.find(actor, envelope_id)
            await self._shelf.mail.set_labels(actor, (mail,), tags)


def _made(call: Call, limits: Limits) -> tuple[Sent, list[str], bytes]:
    """What was sent, its tags and the message. Runs in any thread. Raises InvalidInputError."""
    sent = body_as(call, Sent)
    tags = clean_tags(sent.tags)
    return sent, tags, message_of(sent, limits)
