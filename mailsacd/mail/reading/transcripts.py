"""Transcripts of messages, and of what was refused: the only door to them.

Of a message's other recipients a reader is shown those that the message itself names, and those
whose copies are his account's. Who sent it after logging in has said them all, and sees them all;
so does an operator who may read the message.
"""

from typing import Any, Final

from mailsacd.core.actor import Actor
from mailsacd.core.address import inbox_of
from mailsacd.core.token import iso_time, message_id
from mailsacd.core.transcript import Transcript, TranscriptRecipient, read_transcript
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.transcript_view import named_in, normal_addresses, transcript_json
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from mailsacd.store.transcripts import (
    RefusedTranscript,
    find_transcript,
    has_transcript,
    list_refused,
    owned_copies,
)

MAX_LISTED: Final = 50


class Transcripts:
    """Shows them to an Actor.

    Every call raises BadAddressError, UnauthenticatedError or UnavailableError.
    """

    def __init__(self, database: Database, access_control: AccessControl) -> None:
        self._database = database
        self._access_control = access_control

    async def of_message(self, actor: Actor, email: str, message_id_: str) -> dict[str, Any] | None:
        """Return the transcript of a message in its JSON form, None where it has none.

        Raises ForbiddenError as `Mailbox.get` does, and NotFoundError for a message that is not
        there.
        """
        access = await self._access_control.access(actor, email)
        found = access.found(
            await find_transcript(
                self._database, access.inbox, message_id_, actor.account, is_open=access.is_open
            )
        )
        if found.transcript is None:
            return None
        transcript = read_transcript(expand(found.transcript))
        envelope_id, _, place = message_id_.rpartition("-")
        owned = await self._owned_places(actor, envelope_id, transcript)
        named = named_in(found.facts)
        sees_all = actor.is_operator or _is_senders(actor, transcript)

        def is_shown(recipient: TranscriptRecipient) -> bool:
            if sees_all or (
                recipient.place is not None
                and (str(recipient.place) == place or recipient.place in owned)
            ):
                return True
            return any(path in named for path in normal_addresses([recipient.path]))

        return transcript_json(transcript, is_shown, tells_login=sees_all)

    async def is_kept(self, actor: Actor, email: str, message_id_: str) -> bool:
        """Tell whether there is a transcript of a message that the actor may see.

        False for a message that is not there.
        """
        access = await self._access_control.access(actor, email)
        return await has_transcript(
            self._database, access.inbox, message_id_, actor.account, is_open=access.is_open
        )

    async def refused(self, actor: Actor, email: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest transactions in which mail for an address was refused.

        They are shown to who owns the address or its domain, and to operators, who are shown those
        about nobody's addresses, too. Raises UnauthenticatedError for anybody else.
        """
        if actor.is_operator:
            inbox, account = str(inbox_of(email)), None
        else:
            inbox = await self._access_control.owned_inbox(actor, email)
            account = actor.account
        limit = min(limit, MAX_LISTED)
        return [
            _refused_json(each, actor)
            for each in await list_refused(self._database, inbox, account, limit)
        ]

    async def _owned_places(
        self, actor: Actor, envelope_id: str, transcript: Transcript
    ) -> set[int]:
        """The places of the copies that are the actor's account's, by their rows."""
        if actor.account is None:
            return set()
        ids = {
            message_id(envelope_id, each.place): (each.place, each.inbox)
            for each in transcript.recipients
            if each.place is not None and each.inbox is not None
        }
        copies = [(inbox, id_) for id_, (_, inbox) in ids.items()]
        owned = await owned_copies(self._database, actor.account, copies)
        return {ids[id_][0] for id_ in owned}


def _is_senders(actor: Actor, transcript: Transcript) -> bool:
    return actor.account is not None and actor.account == transcript.wire.login


def _refused_json(refused: RefusedTranscript, actor: Actor) -> dict[str, Any]:
    transcript = read_transcript(expand(refused.transcript))
    told = transcript_json(
        transcript,
        lambda _: True,  # it has no others
        tells_login=actor.is_operator or _is_senders(actor, transcript),
    )
    return {
        "_id": refused.id,
        "inbox": refused.inbox,
        "received": iso_time(refused.received),
        "transcript": told,
    }
