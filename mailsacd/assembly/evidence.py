"""What is known of a message, gathered from the parts that know it."""

from typing import Any

from mailsacd.assembly.checking import Checking
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.spam import Spam
from mailsacd.core.actor import Actor
from mailsacd.http.app import Group
from mailsacd.http.calls.evidence import EvidenceCalls
from mailsacd.mail.checks.catalogue import checks_of_message
from mailsacd.mail.checks.check import overall
from mailsacd.mail.checks.on_request import MessageChecks
from mailsacd.mail.reading.evidence import Evidence, Source
from mailsacd.mail.reading.message_codes import WEIGHT, codes_of
from mailsacd.mail.reading.transcripts import Transcripts


def evidence_calls(
    ground: Ground, owners: Ownership, checking: Checking, spam: Spam, checks: MessageChecks
) -> tuple[Group, ...]:
    """The call that tells all that is known of a message."""
    names = tuple(checks_of_message())
    mailbox = owners.mailbox

    transcripts = Transcripts(ground.database, owners.access_control)

    async def checked(actor: Actor, email: str, message_id: str) -> dict[str, Any]:
        results = await checks.check(actor, email, message_id, names)
        return {"score": overall(results), "checks": results}

    async def codes(actor: Actor, email: str, message_id: str) -> Any:
        return await mailbox.view(actor, email, message_id, codes_of, weight=WEIGHT)

    sources = (
        Source(name="auth", find=checking.on_request.authentication, nothing="It is not known"),
        Source(
            name="spam",
            find=spam.on_request.report,
            nothing="No scorer says anything of it: none is in use or has learned enough, the "
            "message is too large, or its account wants no scores",
        ),
        Source(name="checks", find=checked, nothing="Nothing was checked"),
        Source(name="codes", find=codes, nothing="Nothing was looked for"),
        Source(name="transcript", find=transcripts.of_message, nothing="It was not kept"),
    )
    return (EvidenceCalls(Evidence(mailbox, sources, reactor=ground.reactor)),)
