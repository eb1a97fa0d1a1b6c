"""The calls about all the mail of an account, and that of its domains."""

from functools import partial
from typing import Final

import msgspec

from mailsacd.core.actor import account_of
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.message import MAX_LABEL_CHARACTERS
from mailsacd.core.message_form import FOLDERS
from mailsacd.core.search import Terms
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import (
    DOMAIN,
    LIMIT,
    SINCE,
    SKIP,
    UNTIL,
    Parameter,
    one_of,
    text_up_to,
    yes_or_no,
)
from mailsacd.http.server.answer import Response
from mailsacd.mail.reading.account_mail import MAX_FOUND, AccountMail
from mailsacd.mail.reading.mailbox import Page

_TAG: Final = "Messages"
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_REFUSALS_OF_DOMAINS: Final = (400, 401, 403, 503)
MAX_TERM_CHARACTERS: Final = 500
_TERM_SCHEMA: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_TERM_CHARACTERS,
    "pattern": r"^[^\x00-\x1f\x7f]*$",
}
_LIST: Final = schemas.list_of(schemas.named("Message"))


def _term(name: str, description: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=f"{description}.",
        schema={**_TERM_SCHEMA, "minLength": 0},
        convert=text_up_to(MAX_TERM_CHARACTERS),
    )


QUERY: Final = Parameter(
    name="query",
    where="query",
    description="A part of the subject, or of the name or address of a sender or recipient, "
    "without regard to case. Without it nothing is found.",
    schema={**_TERM_SCHEMA, "minLength": 0, "examples": ["invoice"]},
    convert=text_up_to(MAX_TERM_CHARACTERS),
    default="",
)
AND_SUBJECT: Final = _term("andSubjectIncludes", "A part of the subject")
AND_FROM: Final = _term("andFrom", "A part of the name or address of a sender")
AND_TO: Final = _term("andTo", "A part of the name or address of a recipient, or of the inbox")
AND_READ: Final = Parameter(
    name="andRead",
    where="query",
    description="Whether it is marked as read; what nobody has marked is not.",
    schema={"type": "string", "enum": ["true", "false", "1", "0", ""]},
    convert=yes_or_no,
)


def _of_folder(name: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description="The folder that it is in.",
        schema={"type": "string", "enum": ["", *FOLDERS]},
        convert=one_of(*FOLDERS),
    )


def _of_label(name: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description="A label that it has.",
        schema={**_TERM_SCHEMA, "minLength": 0, "maxLength": MAX_LABEL_CHARACTERS},
        convert=text_up_to(MAX_LABEL_CHARACTERS),
    )


FOLDER: Final = _of_folder("folder")
LABEL: Final = _of_label("label")
AND_FOLDER: Final = _of_folder("andFolder")
AND_LABEL: Final = _of_label("andLabel")
_CONDITIONS: Final = (AND_SUBJECT, AND_FROM, AND_TO, AND_READ, AND_FOLDER, AND_LABEL)


class InboxCalls:
    """The handlers of the calls about all the mail of an account, and their declarations."""

    def __init__(self, account_mail: AccountMail) -> None:
        self._account_mail = account_mail

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about all the mail of an account."""
        return (
            self._listing("/api/inbox", "listInbox"),
            self._listing("/api/private-messages", "listPrivateMessages"),
            self._filtering(),
            self._searching("/api/inbox-search", "searchInbox"),
            self._searching("/api/search-private-messages", "searchPrivateMessages"),
            self._starring(),
            *self._of_domains(),
        )

    def _listing(self, path: str, operation_id: str) -> Operation:
        return _operation(
            method="GET",
            path=path,
            id=operation_id,
            summary="All messages that the account owns, newest first",
            parameters=(LIMIT, SINCE, SKIP, FOLDER, LABEL),
            answers=(schemas.json_answer("A page of them", schemas.named("InboxPage")),),
            handler=self.list,
        )

    def _filtering(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/inbox-filter",
            id="filterInbox",
            summary=f"The newest {MAX_FOUND} messages of the account that meet every condition",
            description="At least one condition has to be given. Texts are found in any part of a "
            "field, without regard to case.",
            parameters=_CONDITIONS,
            answers=(schemas.json_answer("What was found", schemas.named("Filtered")),),
            handler=self.filter,
        )

    def _searching(self, path: str, operation_id: str) -> Operation:
        return _operation(
            method="GET",
            path=path,
            id=operation_id,
            summary=f"The newest {MAX_FOUND} messages of the account with a text in subject, "
            "senders or recipients",
            parameters=(QUERY,),
            echoes=True,
            answers=(schemas.json_answer("What was found", schemas.named("Found")),),
            handler=self.search,
        )

    def _starring(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/addresses/starred/messages",
            id="listStarred",
            summary="The messages that the account has starred, newest first",
            parameters=(UNTIL, SINCE, LIMIT, SKIP),
            answers=(schemas.json_answer("The list", _LIST),),
            handler=self.starred,
        )

    def _of_domains(self) -> tuple[Operation, ...]:
        def purging(method: str, operation_id: str) -> Operation:
            return _operation(
                method=method,
                path="/api/domains/{domain}/delete-all-domain-mail",
                id=operation_id,
                tag="Domains",
                summary="Delete all mail of a verified domain of the account, starred too",
                parameters=(DOMAIN,),
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                refusals=_REFUSALS_OF_DOMAINS,
                handler=self.purge_domain,
            )

        return (
            _operation(
                method="GET",
                path="/api/domains/{domain}/messages",
                id="listDomainMessages",
                tag="Domains",
                summary="The mail of a verified domain of the account, newest first",
                parameters=(DOMAIN, UNTIL, LIMIT),
                answers=(schemas.json_answer("The list", _LIST),),
                refusals=_REFUSALS_OF_DOMAINS,
                handler=self.of_domain,
            ),
            purging("POST", "deleteAllDomainMail"),
            purging("PUT", "deleteAllDomainMailByPut"),
        )

    async def list(self, call: Call) -> Response:
        """Answer with a page of the account's mail: ``{messages, unread, limit, skip}``."""
        page = Page(limit=call["limit"], skip=call["skip"], since_ms=call["since"])
        found = await self._account_mail.list(
            call.actor, page, folder=call["folder"], label=call["label"]
        )
        counts = f'"unread":{found.unread},"limit":{page.limit},"skip":{page.skip}'
        return Response(f'{{"messages":{found.messages},{counts}}}'.encode())

    async def filter(self, call: Call) -> Response:
        """Answer with the messages that meet every condition: ``{messages}``."""
        terms = Terms(
            subject=call["andSubjectIncludes"],
            sender=call["andFrom"],
            recipients=call["andTo"],
            read=call["andRead"],
            folder=call["andFolder"],
            label=call["andLabel"],
        )
        if terms == Terms():
            names = [parameter.name for parameter in _CONDITIONS]
            raise InvalidInputError(
                f"At least one condition has to be given, of {', '.join(names)}",
                tuple(Fault(field=name, problem="is missing") for name in names),
            )
        return Response(
            f'{{"messages":{await self._account_mail.search(call.actor, terms)}}}'.encode()
        )

    async def search(self, call: Call) -> Response:
        """Answer with the messages that have a text somewhere: ``{query, messages}``."""
        account_of(call.actor)
        found = "[]"
        if call["query"]:
            found = await self._account_mail.search(call.actor, Terms(anywhere=call["query"]))
        query = msgspec.json.encode(call["query"]).decode()
        return Response(f'{{"query":{query},"messages":{found}}}'.encode())

    async def starred(self, call: Call) -> Response:
        """Answer with the messages that the account has starred, in the list form."""
        return Response((await self._account_mail.starred(call.actor, _page(call))).encode())

    async def of_domain(self, call: Call) -> Response:
        """Answer with the mail of a domain of the account, in the list form."""
        page = Page(limit=call["limit"], until_ms=call["until"])
        return Response(
            (await self._account_mail.of_domain(call.actor, call["domain"], page)).encode()
        )

    async def purge_domain(self, call: Call) -> Response:
        """Delete all mail of a domain of the account, and answer 204."""
        await self._account_mail.purge_domain(call.actor, call["domain"])
        return Response(status=204)


def _page(call: Call) -> Page:
    return Page(
        limit=call["limit"], skip=call["skip"], since_ms=call["since"], until_ms=call["until"]
    )
