"""The client in clients/python: its README as it stands, each call, and each error."""

import asyncio
import email
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mailsacd_client import (
    ApiError,
    AsyncClient,
    BadRequestError,
    Client,
    ConnectionFailedError,
    ForbiddenError,
    MailsacdError,
    NotFoundError,
    Place,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    WaitTimeoutError,
    calls,
)
from mailsacd_client.conditions import query_of
from mailsacd_client.errors import error_of
from tests.clients.program import WITHOUT_DNS, key_of
from tests.documents.blocks import ROOT, blocks_of
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon

MINE = "mine@client.example"
NOWHERE = Place(inbox=MINE, id="none")
CODE = "From: Jeff <jeff@example.com>\r\nSubject: Your sign-in code\r\n\r\nYour code is 482913.\r\n"
ATTACHED = (
    "Subject: With a file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<p onclick='x()'>hi</p>\r\n"
    "--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a/b.csv\r\n\r\n"
    "1,2\r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    with running_daemon(migrated_data, *WITHOUT_DNS) as running:
        told(running.data_dir, "address", "add", "admin", MINE)
        yield running


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[Client]:
    with Client(_url(daemon), key=key_of(daemon)) as made:
        yield made


def _url(daemon: RunningDaemon) -> str:
    return f"http://127.0.0.1:{daemon.ready.ports['http']}"


def _programs() -> list[str]:
    readme = ROOT / "clients" / "python" / "README.md"
    return [block.text for block in blocks_of(readme) if block.language == "python"]


def test_its_readme_runs_as_it_stands(
    daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    for program in _programs():
        for to in ("jeff@example.com", "ann@example.com"):
            daemon.send(to, CODE)
        exec(program.replace("http://127.0.0.1:8025", _url(daemon)), {"__name__": "__main__"})
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == [
        "Your sign-in code from jeff@example.com", "482913", "Your code is 482913."
    ]  # fmt: skip
    assert printed[-1] == "Your sign-in code Your sign-in code"


def test_a_message_is_read_in_all_its_forms(daemon: RunningDaemon, client: Client) -> None:
    daemon.send("a/b%c@public.example", ATTACHED)
    message = client.wait("a/b%c@public.example", has_attachment=True)
    assert client.message(Place(inbox=message.inbox, id=message.id)).subject == "With a file"
    assert "hi" in client.text(message)
    assert "onclick" not in client.html(message)
    assert "onclick" in client.html(message, as_sent=True)
    assert email.message_from_bytes(client.raw(message))["subject"] == "With a file"
    (attached,) = client.attachments(message)
    assert (attached.file_name, attached.content_type) == ("a/b.csv", "text/csv")
    assert client.attachment(message, "a/b.csv") == client.attachment(message, attached.checksum)
    checks = client.checks(message, "headers", "size")
    assert [check.name for check in checks.checks] == ["headers", "size"]
    evidence = client.evidence(message)
    assert evidence.message.id == message.id
    assert evidence.codes == client.codes(message)
    assert "transcript" in evidence.missing


def test_mail_is_listed_sent_and_deleted(daemon: RunningDaemon, client: Client) -> None:
    sent = client.send(from_=MINE, to=[MINE], subject="To myself", text="hi", reply_to=MINE)
    assert (sent.to, sent.from_, sent.credits_used) == ((MINE,), MINE, 1)
    (message,) = client.wait_for_several(MINE, 1, subject_includes="to myself", from_=MINE)
    assert client.messages(MINE, limit=5, since=message.received) == [message]
    assert client.messages(MINE, until=message.received) == []
    client.delete(message)
    with pytest.raises(NotFoundError):
        client.message(message)
    daemon.send(MINE, CODE)
    client.purge(MINE)
    assert client.messages(MINE) == []


def test_a_wait_in_vain_says_what_came_instead(daemon: RunningDaemon, client: Client) -> None:
    daemon.send("vain@public.example", CODE)
    with pytest.raises(WaitTimeoutError) as raised:
        client.wait("vain@public.example", timeout=0, subject_includes="receipt", to="ann@")
    over = raised.value
    assert (over.status, over.fitting, over.near_misses[0].failed) == (
        408, 0, ("subjectIncludes", "to"),
    )  # fmt: skip
    assert "'Your sign-in code' failed subjectIncludes, to" in str(over)
    with pytest.raises(WaitTimeoutError, match=r"Hint: .* has no mail at all"):
        client.wait("nobody-ever@public.example", timeout=0)
    assert isinstance(over, TimeoutError)


def test_a_run_has_addresses_of_its_own_until_it_ends(
    daemon: RunningDaemon, client: Client
) -> None:
    run = client.begin_run(name="gw0", minutes=5)
    assert run.name == "gw0"
    assert timedelta(minutes=4) < run.expires - run.created <= timedelta(minutes=5)
    daemon.send(f"a@{run.domain}", CODE)
    (message,) = client.run_messages(run.id, limit=5)
    with Client(_url(daemon), key=run.key) as scoped:
        assert scoped.messages(f"a@{run.domain}") == [message]
        assert [each.id for each in scoped.runs()] == [run.id]
    client.end_run(run.id)
    assert client.runs() == []


async def _late(daemon: RunningDaemon) -> str:
    async with AsyncClient(_url(daemon)) as client:
        waiting = asyncio.create_task(client.wait("late@public.example"))
        await asyncio.to_thread(daemon.send, "late@public.example", CODE)
        return await client.text(await waiting)


def test_asyncio_waits_while_mail_is_sent(daemon: RunningDaemon) -> None:
    assert asyncio.run(_late(daemon)) == "Your code is 482913.\n"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.messages("nobody"), BadRequestError),
        (lambda client: client.purge("theirs@public.example"), UnauthorizedError),
        (lambda client: client.send(from_="x@y.example", to=MINE, text="hi"), ForbiddenError),
        (lambda client: client.message(NOWHERE), NotFoundError),
        (lambda client: client.wait(MINE, body_matches="("), BadRequestError),
    ],
)
def test_what_the_server_refuses_is_an_error_of_its_own(
    client: Client, call: Callable[[Client], object], error: type[ApiError]
) -> None:
    with pytest.raises(error) as raised:
        call(client)
    assert str(raised.value)
    assert raised.value.faults or error is not BadRequestError


def test_no_answer_is_an_error_of_its_own(daemon: RunningDaemon) -> None:
    smtp = f"http://127.0.0.1:{daemon.ready.ports['smtp']}"
    for url in (smtp, "http://127.0.0.1:1", "no url"):
        with Client(url) as client, pytest.raises(ConnectionFailedError, match=url):
            client.messages(MINE)


def test_another_server_s_page_is_an_error_of_its_own(daemon: RunningDaemon) -> None:
    with Client(f"{_url(daemon)}/docs?") as client, pytest.raises(MailsacdError):
        client.messages(MINE)


def test_a_text_that_is_no_utf_8_is_an_error_of_its_own() -> None:
    for call in (calls.text(NOWHERE), calls.html(NOWHERE, as_sent=True)):
        with pytest.raises(MailsacdError, match=call.path):
            call.result(200, b"\xff", None)


@pytest.mark.parametrize(
    ("status", "body", "after", "kind"),
    [
        (429, b'{"message":"Too fast"}', "7", TooManyRequestsError),
        (503, b"<html>a proxy's page", "Fri, 31 Dec 1999 23:59:59 GMT", UnavailableError),
        (418, b"", None, ApiError),
    ],
)
def test_answers_of_whoever_is_on_the_way(
    status: int, body: bytes, after: str | None, kind: type[ApiError]
) -> None:
    error = error_of(status, body, after)
    assert type(error) is kind
    assert (error.status, error.retry_after_s) == (status, 7 if after == "7" else None)
    assert str(error) in {"Too fast", "<html>a proxy's page", "HTTP status 418"}


def test_conditions_are_written_as_the_server_reads_them() -> None:
    noon = datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=1)))
    assert query_of({"since": noon, "has_attachment": False, "from_": "a+b@"}, 2) == {
        "since": "2026-11-20T12:00:00.000Z", "hasAttachment": "false", "from": "a+b@", "count": "2"
    }  # fmt: skip
    naive = noon.astimezone().replace(tzinfo=None)
    assert query_of({"since": naive}, 1)["since"] == f"{noon.astimezone(UTC):%FT%T}.000Z"


def test_both_clients_do_the_same() -> None:
    def methods(kind: type) -> list[str]:
        written = [inspect.getsource(each) for each in vars(kind).values() if callable(each)]
        return [
            re.sub(r"\b(async|await) |Async|\ba(?=close)|(?<=__)a", "", each) for each in written
        ]

    assert methods(Client) == methods(AsyncClient)
