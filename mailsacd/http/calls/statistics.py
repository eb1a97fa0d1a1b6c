"""The calls about public mail as a whole, and about the denylist."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from mailsacd.core.mailstats import ADDRESS, ATTACHMENT, DOMAIN, SENDER
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import LIMIT, SINCE, SKIP, UNTIL, Parameter
from mailsacd.http.calls.attachments import attachment_response
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.receiving.denylist import Denylist
from mailsacd.mail.records.statistics import Span, Statistics

_TAG: Final = "Statistics"
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_COMMON: Final = "/api/mailstats/common-attachments"

START: Final = replace(
    SINCE,
    name="startDate",
    description="Only what was received since then, to the hour. Default: a day before `endDate`.",
)
END: Final = replace(
    UNTIL,
    name="endDate",
    description="Only what was received in hours that began before then. Default: now.",
)
_LIMIT: Final = replace(LIMIT, description="At most so many.")
_SKIP: Final = replace(SKIP, description="Leave out so many of the first.")
MD5: Final = Parameter(
    name="md5",
    where="path",
    description="The MD5 sum of the attachment's decoded content, in hex.",
    schema={"type": "string", "examples": ["5ecf8d25a4d2ef4fcb8e4c4e9a0d7b0e"]},
    convert=str,
)
DOMAIN_OR_IP: Final = Parameter(
    name="domainOrIP",
    where="path",
    description="A domain or an IP address.",
    schema={"type": "string", "examples": ["example.com", "192.0.2.1"]},
    convert=str,
)

_COUNT: Final = {"type": "integer", "minimum": 0}
_COUNTED: Final = schemas.object_of({"_id": schemas.STRING, "n": _COUNT})


class StatisticsCalls:
    """The handlers of the calls about public mail in numbers, and their declarations."""

    def __init__(self, statistics: Statistics, denylist: Denylist) -> None:
        self._statistics = statistics
        self._denylist = denylist

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about public mail in numbers."""
        return (
            self._top("/api/mailstats/top-addresses", ADDRESS, "that received most public mail"),
            self._top("/api/mailstats/top-senders", SENDER, "that sent most public mail"),
            self._top("/api/mailstats/top-domains", DOMAIN, "that received most public mail"),
            self._top(_COMMON, ATTACHMENT, "that most public messages have, by their MD5 sums"),
            *self._attachments(),
            self._download(),
            *self._denied(),
        )

    def _top(self, path: str, kind: str, what: str) -> Operation:
        async def top(call: Call) -> Response:
            span = Span(
                since_ms=call["startDate"],
                until_ms=call["endDate"],
                limit=call["limit"],
                skip=call["skip"],
            )
            found = await self._statistics.top(call.actor, kind, span)
            return json_response([{"_id": counted.name, "n": counted.n} for counted in found])

        plural = {ADDRESS: "addresses"}.get(kind, f"{kind}s")
        return _operation(
            method="GET",
            path=path,
            id=f"listTop{plural.title()}",
            summary=f"The {plural} {what}",
            description="Counted by the hour as mail comes in, so that what is deleted since "
            "counts too. What was private when it came in, or is since, is left out.",
            parameters=(START, END, _LIMIT, _SKIP),
            answers=(schemas.json_answer("Most first", schemas.list_of(_COUNTED)),),
            handler=top,
        )

    def _attachments(self) -> tuple[Operation, ...]:
        def operation(end: str, **more: Any) -> Operation:
            return _operation(method="GET", path=f"{_COMMON}/{{md5}}{end}", **more)

        return (
            operation(
                "/count",
                id="countPublicAttachments",
                summary="How many public messages have an attachment",
                description="10,000 stands for more, too.",
                parameters=(MD5,),
                answers=(schemas.json_answer("The number", schemas.object_of({"n": _COUNT})),),
                handler=self.count,
            ),
            operation(
                "",
                id="listMessagesWithAttachment",
                summary="The public messages that have an attachment, newest first",
                parameters=(MD5, LIMIT, SKIP),
                answers=(
                    schemas.json_answer("The list", schemas.list_of(schemas.named("Message"))),
                ),
                handler=self.messages,
            ),
        )

    def _download(self) -> Operation:
        return _operation(
            method="GET",
            path=f"{_COMMON}/{{md5}}/download",
            id="downloadPublicAttachment",
            summary="An attachment's decoded bytes, out of a public message",
            parameters=(MD5,),
            answers=(schemas.media_answer("The bytes, under their own media type", "*/*"),),
            refusals=(*_REFUSALS, 404),
            handler=self.download,
        )

    def _denied(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/mailstats/blacklist",
                id="listDenied",
                summary="The domains, IP addresses and networks whose mail is refused here",
                answers=(schemas.json_answer("The list", schemas.list_of(schemas.STRING)),),
                handler=self.denied,
            ),
            _operation(
                method="GET",
                path="/api/mailstats/blacklist/{domainOrIP}",
                id="isDenied",
                summary="Whether mail from a domain or an IP address is refused here",
                parameters=(DOMAIN_OR_IP,),
                answers=(
                    schemas.json_answer(
                        "It is or not", schemas.object_of({"blacklisted": {"type": "boolean"}})
                    ),
                ),
                handler=self.is_denied,
            ),
        )

    async def count(self, call: Call) -> Response:
        """Answer with the number of public messages that have an attachment: ``{n}``."""
        return json_response({"n": await self._statistics.count_with(call.actor, call["md5"])})

    async def messages(self, call: Call) -> Response:
        """Message objects, as a text that the database made."""
        found = await self._statistics.messages_with(
            call.actor, call["md5"], limit=call["limit"], skip=call["skip"]
        )
        return Response(found.encode())

    async def download(self, call: Call) -> Response:
        """Answer with the decoded bytes of an attachment, out of a public message."""
        return attachment_response(await self._statistics.attachment(call.actor, call["md5"]))

    async def denied(self, call: Call) -> Response:
        """Answer with the domains, addresses and networks whose mail is refused, as texts."""
        self._statistics.check_readable(call.actor)
        return json_response(self._denylist.entries)

    async def is_denied(self, call: Call) -> Response:
        """Answer whether mail from a domain or an IP address is refused: ``{blacklisted}``."""
        self._statistics.check_readable(call.actor)
        return json_response({"blacklisted": self._denylist.has(call["domainOrIP"])})
