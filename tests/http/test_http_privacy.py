"""Who gets what: every operation, asked by everybody, about mail of every kind.

The tables below have a row for every operation that the specification lists. A new one is put into
the table that fits: which of these it is in says who may see what through it.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.client import Answer
from tests.http.society import (
    ATTACHMENT,
    CATCH_ALL,
    HIDDEN_DOMAIN,
    IMPLICIT,
    OTHER,
    OWNER,
    PRIVATE,
    PUBLIC,
    RELEASED,
    SECRET,
    SHOWN,
    SHOWN_DOMAIN,
    TAKEN,
    Society,
    society,
)

WHO = ("nobody", "owner", "other", "team")  # and "wrong key", which is 401 wherever a key counts
UNKNOWN_ID = "01m8fvk2qt000k5d8gr1w-0"

# The inbox of each kind of mail, and what an operation on one message of it answers each of WHO.
KINDS: dict[str, tuple[str, tuple[int, int, int, int]]] = {
    "public": (PUBLIC, (200, 200, 200, 200)),
    "private": (PRIVATE, (401, 200, 403, 200)),
    "implicit": (IMPLICIT, (401, 200, 403, 200)),
    "catch-all": (CATCH_ALL, (401, 200, 403, 200)),
    "in a shown domain": (SHOWN, (200, 200, 200, 200)),
    "starred by owner": ("star-1@public.example", (404, 200, 404, 200)),
    "starred by other": ("star-2@public.example", (404, 404, 200, 404)),
    "private, starred by owner": (f"star-3@{HIDDEN_DOMAIN}", (401, 200, 403, 200)),
    "in a shown domain, starred by other": (f"star-4@{SHOWN_DOMAIN}", (404, 404, 200, 404)),
    "released": (RELEASED, (404, 200, 404, 200)),
    "taken by other": (TAKEN, (401, 200, 404, 200)),
    "unknown": ("unknown@public.example", (404, 404, 404, 404)),
    "unknown, private": (f"unknown@{HIDDEN_DOMAIN}", (401, 404, 403, 404)),
}
# What a list of the inbox answers each of WHO, where that is not 200, and for the others whether
# the message is in it.
LISTED: dict[str, tuple[int | bool, int | bool, int | bool, int | bool]] = {
    "public": (True, True, True, True),
    "private": (401, True, 403, True),
    "implicit": (401, True, 403, True),
    "catch-all": (401, True, 403, True),
    "in a shown domain": (True, True, True, True),
    "starred by owner": (False, True, False, True),
    "starred by other": (False, False, True, False),
    "private, starred by owner": (401, True, 403, True),
    "in a shown domain, starred by other": (False, False, True, False),
    "released": (False, True, False, True),
    "taken by other": (401, 403, False, 403),
    "unknown": (False, False, False, False),
    "unknown, private": (401, False, 403, False),
}
# What a purge answers each of WHO, and whether the message is there after all have tried.
PURGED: dict[str, tuple[tuple[int, int, int, int], bool]] = {
    "public": ((401, 401, 401, 401), True),
    "private": ((401, 204, 401, 204), False),
    "implicit": ((401, 204, 401, 204), False),
    "catch-all": ((401, 204, 401, 204), False),
    "in a shown domain": ((401, 204, 401, 204), False),
    "starred by owner": ((401, 401, 401, 401), True),
    "starred by other": ((401, 401, 401, 401), True),
    "private, starred by owner": ((401, 204, 401, 204), True),
    "in a shown domain, starred by other": ((401, 204, 401, 204), True),
    "released": ((401, 401, 401, 401), True),
    "taken by other": ((401, 401, 204, 401), True),
    "unknown": ((401, 401, 401, 401), False),
    "unknown, private": ((401, 204, 401, 204), False),
}
OWNED = {
    "private",
    "implicit",
    "catch-all",
    "in a shown domain",
    "private, starred by owner",
    "released",
    "taken by other",
}
# Of the account's mail wherever it is: the query, and the kinds that owner and other are shown.
EVERYWHERE: dict[str, tuple[str, set[str], set[str]]] = {
    "listInbox": ("limit=1000", OWNED, set()),
    "listPrivateMessages": ("", OWNED, set()),
    "filterInbox": (f"andSubjectIncludes={SECRET[2:-2]}&andRead=false", OWNED, set()),
    "searchInbox": (f"query={SECRET[2:-2]}", OWNED, set()),
    "searchPrivateMessages": (f"query={SECRET}", OWNED, set()),
    "searchMail": (f"query={SECRET[2:-2]}", OWNED, set()),
    "listStarred": (
        "",
        {"starred by owner", "private, starred by owner"},
        {"starred by other", "in a shown domain, starred by other"},
    ),
}
# One message is read or marked; delete and star change who sees it.
ONE_MESSAGE = {
    "getMessage",
    "getMessageAuthentication",
    "checkMessage",
    "getMessageCodes",
    "getMessageEvidence",
    "getMessageNeighbours",
    "getMessageSpam",
    "getMessageTranscript",
    "getText",
    "getBody",
    "getDirty",
    "getRaw",
    "getHeaders",
    "getMessageHeaders",
    "listAttachments",
    "getAttachment",
    "downloadAttachment",
    "replaceLabels",
    "addLabel",
    "removeLabel",
    "moveMessage",
    "markRead",
    "setRead",
}
OF_ONE_CHANGED = {"deleteMessage", "toggleStar"}
OF_ONE_RELEASED = {"releaseMessage"}  # as if it were read, but by nobody without a key
# An inbox is told of as LISTED says: whether an answer tells of just the messages with these ids.
OF_INBOX: dict[str, Callable[[Any, list[str]], bool]] = {
    "listMessages": lambda told, ids: [m["_id"] for m in told] == ids,
    "countMessages": lambda told, ids: bool(told["count"] == len(ids)),
    "searchAddress": lambda told, ids: [m["_id"] for m in told["messages"]] == ids,
}
_QUERY = f"query=body:{SECRET[2:-2]}+OR+subject:{SECRET[2:-2]}"
QUERIES = {"searchAddress": _QUERY, "searchDomain": _QUERY}
WAITED_FOR = {"waitForMessages"}  # as OF_INBOX, and 408 where there is nothing for the asker
OF_INBOX_PURGED = {"purgeMessages"}  # as PURGED says
BY_WEBSOCKET = {"listenByWebSocket"}  # who sees what by it is in tests/ws
ENDLESS = {"listenToInbox"}  # asked for with HEAD; what comes of it is in test_http_events
# A domain's mail, for its owner: as OF_INBOX, and what deletes all of it.
OF_DOMAIN: dict[str, Callable[[Any, list[str]], bool]] = {
    "listDomainMessages": lambda told, ids: [m["_id"] for m in told] == ids,
    "searchDomain": lambda told, ids: [m["_id"] for m in told["messages"]] == ids,
}
OF_DOMAIN_DELETED = {"deleteAllDomainMail", "deleteAllDomainMailByPut"}
# The kinds of mail in each domain.
IN_DOMAIN = {
    HIDDEN_DOMAIN: {"implicit", "catch-all", "private, starred by owner"},
    SHOWN_DOMAIN: {"in a shown domain"},
}
# Of public mail alone, whoever asks.
PUBLIC_STATISTICS = {
    "listTopAddresses": 200,
    "listTopSenders": 200,
    "listTopDomains": 200,
    "listTopAttachments": 200,
    "countPublicAttachments": 200,
    "listMessagesWithAttachment": 200,
    "downloadPublicAttachment": 404,
}
# No messages come out of these: what nobody is answered, who sends nothing but the path. What they
# do for others is tested where they are.
WITHOUT_MESSAGES: dict[str, int] = {
    "isAlive": 200,
    "getMetrics": 200,  # from loopback; test_http_metrics asks from elsewhere
    "isReady": 200,
    "getVersion": 200,
    "getSpecification": 200,
    "getMe": 401,
    "updateMe": 401,
    "deleteMe": 401,
    "getMyStats": 401,
    "getUsage": 401,
    "sendMessage": 401,
    "forgotPassword": 400,
    "listOutgoing": 401,
    "getOutgoing": 401,
    "cancelOutgoing": 401,
    "retryOutgoing": 401,
    "listSuppressions": 401,
    "removeSuppression": 401,
    "listRefusedTranscripts": 401,
    "listInboundByDay": 401,
    "listInboundByMonth": 401,
    "listUsers": 401,
    "createUser": 401,
    "deleteUser": 401,
    "elevateUser": 401,
    "endElevation": 401,
    "listKeys": 401,
    "createKey": 401,
    "deleteKey": 401,
    "listSearches": 401,
    "saveSearch": 401,
    "removeSearch": 401,
    "signUp": 400,
    "signIn": 400,
    "signOut": 200,
    "listSessions": 401,
    "getSecondFactor": 401,
    "beginSecondFactor": 401,
    "confirmSecondFactor": 401,
    "disableSecondFactor": 401,
    "renewRecoveryCodes": 401,
    "endSession": 401,
    "endOtherSessions": 401,
    "logout": 200,
    "changePassword": 401,
    "resetPassword": 400,
    "listActivity": 401,
    "listAudit": 401,
    "operatorListAccounts": 401,
    "operatorGetAccount": 401,
    "operatorUpdateAccount": 401,
    "operatorListDomains": 401,
    "operatorListDenied": 401,
    "operatorDeny": 401,
    "operatorAllow": 401,
    "operatorListQueue": 401,
    "operatorGetQueued": 401,
    "operatorChangeQueue": 401,
    "operatorCancelQueued": 401,
    "operatorRetryQueued": 401,
    "operatorHoldQueued": 401,
    "operatorReleaseQueued": 401,
    "operatorGetStats": 401,
    "operatorListThrottled": 401,
    "listDeliveries": 401,
    "redeliver": 401,
    "testWebhook": 401,
    "getWebhookSecret": 401,
    "rotateWebhookSecret": 401,
    "listAddresses": 401,
    "getAddress": 200,
    "getPop3Settings": 401,
    "checkAvailability": 200,
    "createAddress": 401,
    "createAddresses": 401,
    "deleteAddress": 401,
    "updateAddress": 401,
    "updateForwarding": 401,
    "listDomains": 401,
    "getDomain": 401,
    "createDomain": 401,
    "deleteDomain": 401,
    "updateDomain": 401,
    "verifyDomain": 401,
    "setDomainPrivacy": 401,
    "getFaults": 401,
    "setFaults": 401,
    "removeFaults": 401,
    "getLoadTest": 401,
    "startLoadTest": 401,
    "endLoadTest": 401,
    "createInboxLink": 401,
    "endInboxLinks": 401,
    "listLinkedMessages": 404,
    "getLinkedMessage": 404,
    "getLinkedText": 404,
    "getLinkedBody": 404,
    "getLinkedRaw": 404,
    "beginRun": 401,
    "listRuns": 401,
    "getRun": 401,
    "listRunMessages": 401,
    "searchRun": 400,
    "waitForRunMessages": 401,
    "listenToRun": 401,
    "endRun": 401,
    "listDenied": 200,
    "isDenied": 200,
    "validateAddress": 200,
    "validateAddresses": 400,
}
OPEN = {"isAlive", "getMetrics", "isReady", "getVersion", "getSpecification"}  # no key is looked at

VALUES = {
    "attachmentIdentifier": ATTACHMENT,
    "label": "x",
    "folder": "spam",
    "readBoolean": "true",
    "isPrivateBoolean": "true",
    "keyId": "0123456789abcdef",
    "sessionId": "0123456789abcdef",
    "deliveryId": "01m8fvk2qt000k5d8gr1w-0-w1",
    "md5": hashlib.md5(SECRET.encode()).hexdigest(),
}
_OF_DOMAIN = {"nobody": 401, "wrong key": 401, "other": 403, "owner": 200, "team": 200}
BODIES = {
    "replaceLabels": b'{"labels": ["y"]}',
    "releaseMessage": b'{"to": "qa@released-to.example"}',
}


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(
        database, database_dsn, "relay.release_to=*.example", "relay.enabled=false"
    ) as made:
        yield made


def _operations(people: Society) -> dict[str, tuple[str, str]]:
    """Method and path of each operation."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in people.specification.document["paths"].items()
        for method, operation in item.items()
    }


async def _ask(people: Society, who: str, operation: str, **values: str) -> Answer:
    method, path = _operations(people)[operation]
    for name, value in (VALUES | values).items():
        path = path.replace("{" + name + "}", quote(value))
    for name in ("email", "messageId", "domain", "domainOrIP", "id", "name"):
        path = path.replace("{" + name + "}", "x@nowhere.example" if name == "email" else "x1")
    query = "?" + values["query"] if values.get("query") else ""
    return await people.ask(who, method, path + query, BODIES.get(operation, b""))


async def _mail(people: Society, count: int = 1) -> dict[str, list[str]]:
    """``count`` messages of each kind: their ids."""
    ids = {
        kind: [UNKNOWN_ID] * count
        if kind.startswith("unknown")
        else [await people.deliver(inbox) for _ in range(count)]
        for kind, (inbox, _) in KINDS.items()
    }
    for inbox in (RELEASED, TAKEN):
        await people.json("owner", "POST", f"/api/addresses/{inbox}")
        await people.json("owner", "DELETE", f"/api/addresses/{inbox}")
    await people.json("other", "POST", f"/api/addresses/{TAKEN}")
    for kind in (kind for kind in KINDS if "starred by" in kind):
        for message_id in ids[kind]:
            inbox, who = KINDS[kind][0], kind.rpartition(" ")[2]
            target = f"/api/addresses/{inbox}/messages/{message_id}/star"
            starred = await people.json(who, "PUT", target)
            assert starred["savedBy"] == {"owner": OWNER, "other": OTHER}[who]
    return ids


def _tells_nothing(answer: Answer) -> bool:
    """Nothing of a message, nor of whose it is."""
    told = answer.body.decode("utf-8", "replace").lower() + repr(answer.headers).lower()
    digest = VALUES["md5"]
    return not any(word in told for word in (SECRET, OWNER, OTHER, digest, "ann@example.net"))


async def _stored(people: Society) -> set[str]:
    return {row[0] for row in await people.database.fetch("select id from message")}


@pytest_twisted.ensureDeferred
async def test_every_operation_is_in_a_table(people: Society) -> None:
    tables: list[Collection[str]] = [
        ONE_MESSAGE, OF_ONE_CHANGED, OF_ONE_RELEASED, OF_INBOX, OF_INBOX_PURGED, OF_DOMAIN,
        OF_DOMAIN_DELETED, EVERYWHERE, PUBLIC_STATISTICS, WITHOUT_MESSAGES, ENDLESS, BY_WEBSOCKET,
        WAITED_FOR,
    ]  # fmt: skip
    rows = [operation for table in tables for operation in table]
    assert set(_operations(people)) - set(rows) == set(), "say who may see what through it"
    assert set(rows) - set(_operations(people)) == set(), "there are no such operations"
    assert len(rows) == len(set(rows))
    assert KINDS.keys() == LISTED.keys() == PURGED.keys()


@pytest_twisted.ensureDeferred
async def test_a_message_is_read_and_marked_by_those_who_may_see_it(people: Society) -> None:
    ids = await _mail(people)
    wrong: list[Any] = []
    for operation in sorted(ONE_MESSAGE | OF_ONE_RELEASED):
        for kind, (inbox, expected) in KINDS.items():
            for who, listed in zip((*WHO, "wrong key"), (*expected, 401), strict=True):
                status = 401 if who == "nobody" and operation in OF_ONE_RELEASED else listed
                place = {"email": inbox, "messageId": ids[kind][0]}
                answer = await _ask(people, who, operation, **place)
                if answer.status != status or (status != 200 and not _tells_nothing(answer)):
                    wrong.append((operation, kind, who, status, answer))
    assert wrong == []


@pytest.mark.parametrize("operation", sorted(OF_ONE_CHANGED))
@pytest_twisted.ensureDeferred
async def test_a_message_is_deleted_and_starred_by_those_who_may_see_it(
    people: Society, operation: str
) -> None:
    ids = await _mail(people, len(WHO) + 1)
    wrong: list[Any] = []
    for kind, (inbox, expected) in KINDS.items():
        for who, listed, message_id in zip(
            (*WHO, "wrong key"), (*expected, 401), ids[kind], strict=True
        ):
            status = 401 if who == "nobody" and operation == "toggleStar" else listed
            before = await _rows(people, message_id)
            place = {"email": inbox, "messageId": message_id}
            answer = await _ask(people, who, operation, **place)
            changed = await _rows(people, message_id) != before
            if (answer.status, changed) != (status, status == 200):
                wrong.append((operation, kind, who, status, answer))
            if status != 200:
                assert _tells_nothing(answer), answer
    assert wrong == []


async def _rows(people: Society, message_id: str) -> Any:
    return await people.database.fetch(
        "select id, saved_by from message where id = %s", (message_id,)
    )


@pytest.mark.parametrize("operation", OF_INBOX)
@pytest_twisted.ensureDeferred
async def test_an_inbox_is_told_of_as_the_asker_may_see_it(people: Society, operation: str) -> None:
    ids = await _mail(people)
    wrong: list[Any] = []
    for kind, cells in LISTED.items():
        for who, expected in zip((*WHO, "wrong key"), (*cells, 401), strict=True):
            query = QUERIES.get(operation, "")
            answer = await _ask(people, who, operation, email=KINDS[kind][0], query=query)
            if isinstance(expected, bool):
                seen = ids[kind] if expected else []
                right = answer.status == 200 and OF_INBOX[operation](answer.json(), seen)
            else:
                right = answer.status == expected and _tells_nothing(answer)
            if not right:
                wrong.append((kind, who, expected, answer))
    assert wrong == []


@pytest.mark.parametrize("operation", WAITED_FOR)
@pytest_twisted.ensureDeferred
async def test_what_is_waited_for_is_what_the_asker_may_see(
    people: Society, operation: str
) -> None:
    ids = await _mail(people)
    wrong: list[Any] = []
    for kind, cells in LISTED.items():
        for who, expected in zip((*WHO, "wrong key"), (*cells, 401), strict=True):
            place = {"email": KINDS[kind][0], "query": "timeout=0&since=2000-01-01"}
            answer = await _ask(people, who, operation, **place)
            if expected is True:
                found = [message["_id"] for message in answer.json()]
                right = answer.status == 200 and found == ids[kind]
            else:
                right = answer.status == (expected or 408) and _tells_nothing(answer)
                right = right and answer.json().get("nearMisses", []) == []
            if not right:
                wrong.append((kind, who, expected, answer))
    assert wrong == []


@pytest.mark.parametrize("operation", ENDLESS)
@pytest_twisted.ensureDeferred
async def test_whoever_may_list_an_inbox_may_listen_to_it(people: Society, operation: str) -> None:
    await _mail(people)
    path = _operations(people)[operation][1]
    for kind, cells in LISTED.items():
        for who, listed in zip((*WHO, "wrong key"), (*cells, 401), strict=True):
            answer = await people.ask(who, "HEAD", path.replace("{email}", KINDS[kind][0]))
            assert answer.status == (200 if isinstance(listed, bool) else listed), (kind, who)


@pytest.mark.parametrize("operation", OF_INBOX_PURGED)
@pytest_twisted.ensureDeferred
async def test_an_inbox_is_purged_by_its_owner_alone(people: Society, operation: str) -> None:
    ids = await _mail(people)
    wrong: list[Any] = []
    order = (("wrong key", 4), ("nobody", 0), ("other", 2), ("owner", 1), ("team", 3))
    for kind, (expected, stays) in PURGED.items():
        for who, column in order:
            answer = await _ask(people, who, operation, email=KINDS[kind][0])
            if answer.status != (*expected, 401)[column]:
                wrong.append((kind, who, answer))
            if answer.status != 204:
                assert answer.json()["message"]
                assert _tells_nothing(answer), answer
                assert who in {"owner", "team"} or ids[kind][0] in await _stored(people) | {
                    UNKNOWN_ID
                }
        if (ids[kind][0] in await _stored(people)) != stays:
            wrong.append((kind, "afterwards", stays))
    assert wrong == []


@pytest_twisted.ensureDeferred
async def test_account_wide_lists_have_the_accounts_own(people: Society) -> None:
    ids = await _mail(people)
    kind_of = {found[0]: kind for kind, found in ids.items()}
    for operation, (query, of_owner, of_other) in EVERYWHERE.items():
        for who, expected in (("owner", of_owner), ("team", of_owner), ("other", of_other)):
            answer = await _ask(people, who, operation, query=query)
            assert answer.status == 200, (operation, who, answer)
            found = answer.json()
            messages = found if isinstance(found, list) else found["messages"]
            assert [m["_id"] for m in messages] == sorted(
                (m["_id"] for m in messages), reverse=True
            )
            assert {kind_of[m["_id"]] for m in messages} == expected, (operation, who)
            if "unread" in found:
                assert found["unread"] == len(expected)
        for who in ("nobody", "wrong key"):
            answer = await _ask(people, who, operation, query=query)
            assert answer.status == 401, (operation, who)
            assert _tells_nothing(answer)


@pytest.mark.parametrize("operation", OF_DOMAIN)
@pytest_twisted.ensureDeferred
async def test_a_domain_s_mail_is_told_of_to_its_owner_alone(
    people: Society, operation: str
) -> None:
    ids = await _mail(people)
    for domain, kinds in IN_DOMAIN.items():
        expected = sorted((ids[kind][0] for kind in kinds), reverse=True)
        for who, status in _OF_DOMAIN.items():
            query = QUERIES.get(operation, "")
            answer = await _ask(people, who, operation, domain=domain, query=query)
            assert answer.status == status, (domain, who)
            if status == 200:
                assert OF_DOMAIN[operation](answer.json(), expected), (domain, who, answer)
            else:
                assert _tells_nothing(answer)
    for domain in ("public.example", "unclaimed.example"):
        for who in WHO:
            query = QUERIES.get(operation, "")
            answer = await _ask(people, who, operation, domain=domain, query=query)
            assert answer.status == (401 if who == "nobody" else 403), (domain, who)


@pytest.mark.parametrize("domain", IN_DOMAIN)
@pytest.mark.parametrize("operation", sorted(OF_DOMAIN_DELETED))
@pytest_twisted.ensureDeferred
async def test_a_domain_s_mail_is_deleted_by_its_owner_alone(
    people: Society, operation: str, domain: str
) -> None:
    ids = await _mail(people)
    before = await _stored(people)
    for who in ("nobody", "wrong key", "other"):
        answer = await _ask(people, who, operation, domain=domain)
        assert answer.status == _OF_DOMAIN[who], (operation, who)
        assert _tells_nothing(answer)
    assert await _stored(people) == before
    assert (await _ask(people, "owner", operation, domain=domain)).status == 204
    assert await _stored(people) == before - {ids[kind][0] for kind in IN_DOMAIN[domain]}


@pytest_twisted.ensureDeferred
async def test_statistics_are_of_public_mail_alone(people: Society) -> None:
    hidden = [PRIVATE, IMPLICIT, CATCH_ALL, "star@public.example"]
    ids = [await people.deliver(inbox) for inbox in hidden]
    await people.json("owner", "PUT", f"/api/addresses/{hidden[-1]}/messages/{ids[-1]}/star")
    for operation, status in PUBLIC_STATISTICS.items():
        for who in WHO:
            answer = await _ask(people, who, operation)
            assert answer.status == status, (operation, answer)
            assert _tells_nothing(answer), (operation, who, answer)
            assert not any(email in answer.body.decode() for email in hidden), (operation, who)
        assert (await _ask(people, "wrong key", operation)).status == 401
    assert (await _ask(people, "nobody", "countPublicAttachments")).json() == {"n": 0}
    await people.deliver(PUBLIC)
    assert (await _ask(people, "nobody", "countPublicAttachments")).json() == {"n": 1}


@pytest_twisted.ensureDeferred
async def test_what_needs_an_account_is_refused_to_nobody_and_to_wrong_keys(
    people: Society,
) -> None:
    for operation, status in WITHOUT_MESSAGES.items():
        answer = await _ask(people, "nobody", operation)
        assert answer.status == status, (operation, answer)
        answer = await _ask(people, "wrong key", operation)
        assert answer.status == (status if operation in OPEN else 401), (operation, answer)


@pytest_twisted.ensureDeferred
async def test_what_comes_after_a_release_is_public_again(people: Society) -> None:
    ids = await _mail(people)
    later = await people.deliver(RELEASED)
    target = f"/api/addresses/{RELEASED}/messages"
    assert [m["_id"] for m in await people.json("nobody", "GET", target)] == [later]
    found = [m["_id"] for m in await people.json("owner", "GET", target)]
    assert found == [later, ids["released"][0]]


@pytest_twisted.ensureDeferred
async def test_a_star_taken_off_shows_the_message_to_all_again(people: Society) -> None:
    message_id = await people.deliver(PUBLIC)
    target = f"/api/addresses/{PUBLIC}/messages/{message_id}"
    await people.json("owner", "PUT", f"{target}/star")
    assert (await people.ask("other", "PUT", f"{target}/star")).status == 404
    assert (await people.ask("nobody", "GET", target)).status == 404
    assert (await people.json("owner", "PUT", f"{target}/star"))["savedBy"] is None
    assert (await people.json("other", "GET", target))["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_a_starred_message_is_not_taken_along_by_who_reserves_its_inbox(
    people: Society,
) -> None:
    message_id = await people.deliver(PUBLIC)
    target = f"/api/addresses/{PUBLIC}/messages"
    await people.json("owner", "PUT", f"{target}/{message_id}/star")
    await people.json("other", "POST", f"/api/addresses/{PUBLIC}")
    assert await people.json("other", "GET", target) == []
    assert (await people.json("owner", "GET", f"{target}/{message_id}"))["savedBy"] == OWNER
    assert (await people.json("owner", "PUT", f"{target}/{message_id}/star"))["savedBy"] is None
