"""The calls that search by the query language, and those about searches that have a name."""

from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mailsacd.core.query import MAX_QUERY_CHARACTERS
from mailsacd.core.text_form import whole
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import (
    DOMAIN,
    EMAIL,
    Parameter,
    place_in_list,
    text_up_to,
    whole_number,
)
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.saved_searches import SavedSearches
from mailsacd.mail.reading.search import MAX_FOUND, Asked, Found, Search
from mailsacd.store.saved_searches import SavedSearch

_operation = partial(Operation, tag="Search", refusals=(400, 401, 503))
_LANGUAGE: Final = (
    "Words and texts in quotes, each of which has to be in the subject, the senders, the "
    "recipients or the text; `from:`, `to:`, `subject:`, `body:`, `raw:`, `header:name=text`, "
    "`link:`, "
    "`has:attachment`, `is:read`, `is:unread`, `is:starred`, `folder:`, `label:`, `after:`, "
    "`before:`, `larger:`, `smaller:` and `tag:` (a saved search); `-`, `OR` and parentheses."
)
_QUERY_FORM: Final = r"[^\x00-\x1f\x7f]*"
QUERY: Final = Parameter(
    name="query",
    where="query",
    description=_LANGUAGE,
    schema={
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_QUERY_CHARACTERS,
        "pattern": f"^{_QUERY_FORM}$",
        "examples": ["from:shop.example has:attachment -is:read"],
    },
    convert=text_up_to(MAX_QUERY_CHARACTERS),
    required=True,
)
BEFORE: Final = Parameter(
    name="before",
    where="query",
    description="What `next` was of the page before: it goes on with older messages.",
    schema={"type": "string", "pattern": "^[0-9A-Za-z_-]{0,64}$"},
    convert=place_in_list,
)
LIMIT: Final = Parameter(
    name="limit",
    where="query",
    description="At most so many messages.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": MAX_FOUND},
    convert=whole_number(MAX_FOUND, least=1),
    default=MAX_FOUND,
)
_FOUND: Final = schemas.object_of(
    {
        "query": schemas.STRING,
        "messages": schemas.list_of(schemas.named("Message")),
        "next": {
            "type": ["string", "null"],
            "description": "Where older messages are asked for, as `before`; null: there are none",
        },
        "incomplete": {
            "type": "boolean",
            "description": "The search ended for its time: more may be found from `next` on",
        },
    }
)
FOUND: Final = (schemas.json_answer("What was found, newest first", _FOUND),)
"""What calls that search answer."""
_NAME: Final = Parameter(
    name="name",
    where="path",
    description="The name of a saved search, in upper or lower case.",
    schema={"type": "string"},
    convert=str,
)
_SAVED: Final = schemas.object_of(
    {"name": schemas.STRING, "query": schemas.STRING, "created": schemas.TIME}
)
_NAMED: Final = schemas.object_of({"name": schemas.STRING, "query": schemas.STRING})


class NewSearchBody(msgspec.Struct, frozen=True, kw_only=True):
    """What `SavedSearches.save` takes."""

    name: Annotated[
        str, Meta(min_length=1, max_length=50, description="Letters, digits, dots, dashes and _")
    ]
    query: Annotated[
        str,
        whole(_QUERY_FORM, min_length=1, max_length=MAX_QUERY_CHARACTERS, description=_LANGUAGE),
    ]


class SearchCalls:
    """The handlers of the calls that search, and their declarations."""

    def __init__(self, search: Search, saved: SavedSearches) -> None:
        self._search = search
        self._saved = saved

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls that search."""
        searching = partial(_operation, echoes=True, answers=FOUND)
        return (
            searching(
                method="GET",
                path="/api/search",
                id="searchMail",
                summary="The newest messages of the account that fit a query",
                parameters=(QUERY, BEFORE, LIMIT),
                handler=self.in_account,
            ),
            searching(
                method="GET",
                path="/api/addresses/{email}/search",
                id="searchAddress",
                summary="The newest messages of an inbox that fit a query",
                parameters=(EMAIL, QUERY, BEFORE, LIMIT),
                refusals=(400, 401, 403, 503),
                within_scope=True,
                handler=self.in_inbox,
            ),
            searching(
                method="GET",
                path="/api/domains/{domain}/search",
                id="searchDomain",
                summary="The newest messages of a verified domain of the account that fit a query",
                parameters=(DOMAIN, QUERY, BEFORE, LIMIT),
                refusals=(400, 401, 403, 503),
                within_scope=True,
                handler=self.in_domain,
            ),
            *self._saving(),
        )

    def _saving(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/searches",
                id="listSearches",
                summary="The account's saved searches, by name",
                answers=(schemas.json_answer("The searches", schemas.list_of(_SAVED)),),
                handler=self.list,
            ),
            _operation(
                method="POST",
                path="/api/searches",
                id="saveSearch",
                summary="Give a query a name, which `tag:` has in other queries",
                body=NewSearchBody,
                needs_account=True,
                answers=(schemas.json_answer("The search", _NAMED),),
                refusals=(400, 401, 409, 503),
                handler=self.save,
            ),
            _operation(
                method="DELETE",
                path="/api/searches/{name}",
                id="removeSearch",
                summary="Forget a saved search",
                parameters=(_NAME,),
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                refusals=(400, 401, 404, 503),
                handler=self.remove,
            ),
        )

    async def in_account(self, call: Call) -> Response:
        """Answer with what was found in all mail of the account."""
        return found_response(call, await self._search.in_account(call.actor, asked_by(call)))

    async def in_inbox(self, call: Call) -> Response:
        """Answer with what was found in an inbox."""
        return found_response(
            call, await self._search.in_inbox(call.actor, call["email"], asked_by(call))
        )

    async def in_domain(self, call: Call) -> Response:
        """Answer with what was found in the mail of a domain."""
        found = await self._search.in_domain(call.actor, call["domain"], asked_by(call))
        return found_response(call, found)

    async def list(self, call: Call) -> Response:
        """Answer with the account's saved searches."""
        return json_response([saved_json(each) for each in await self._saved.list(call.actor)])

    async def save(self, call: Call) -> Response:
        """Save a search, and answer with its name and query."""
        body: NewSearchBody = call.body
        name = await self._saved.save(call.actor, body.name, body.query)
        return json_response({"name": name, "query": body.query})

    async def remove(self, call: Call) -> Response:
        """Forget a search, and answer 204."""
        await self._saved.remove(call.actor, call["name"])
        return Response(status=204)


def asked_by(call: Call) -> Asked:
    """Return what the parameters of a call ask for."""
    return Asked(query=call["query"], before=call["before"], limit=call["limit"])


def found_response(call: Call, found: Found) -> Response:
    """Return what a call that searches is answered."""
    rest = msgspec.json.encode({"next": found.next, "incomplete": found.incomplete})[1:]
    query = msgspec.json.encode(call["query"])
    return Response(b'{"query":%b,"messages":%b,%b' % (query, found.messages.encode(), rest))


def saved_json(saved: SavedSearch) -> dict[str, Any]:
    """Return a saved search as JSON has it."""
    return {"name": saved.name, "query": saved.query, "created": iso_time(saved.created)}
