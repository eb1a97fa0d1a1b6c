"""What a page takes from a request, and what it never takes."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.actor import ANYONE
from mailsacd.core.errors import (
    Fault,
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    ThrottledError,
)
from mailsacd.http.api.operation import Call
from mailsacd.http.server.answer import Response
from mailsacd.web.form_token import is_token, new_secret, token_of
from mailsacd.web.visit import Visit, local_path


def visit(prefix: str = "", **given: object) -> Visit:
    call = Call(actor=ANYONE, values={}, prefix=prefix, **given)  # type: ignore[arg-type]  # of a test
    return Visit(call=call, page="test", was_got=True, render=lambda *_: Response())


@pytest.mark.parametrize(
    "url",
    ["", "x", "//evil.example", "/\\evil.example", "https://evil.example/", "/a b", "/a\nb", "/ä",
     "/mail//evil.example", "/mail", "javascript:alert(1)", "/\t/evil.example"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(url: str) -> None:
    assert local_path(url, "/mail") == ""


def test_a_path_of_ours_is_one_with_and_without_a_prefix() -> None:
    assert local_path("/inbox/a@b.example?skip=50") == "/inbox/a@b.example?skip=50"
    assert local_path("/mail/inbox/a@b.example", "/mail") == "/inbox/a@b.example"
    assert local_path("/mailing/x", "/mail") == ""


@given(st.text())
def test_a_local_path_begins_with_one_slash(url: str) -> None:
    path = local_path(url)
    assert path == "" or (path[0] == "/" and path[1:2] not in {"/", "\\"} and path.isascii())


def test_a_url_has_the_prefix_and_what_was_given() -> None:
    assert (
        visit("/mail").url("/inbox/a@b", skip=50, label="", view=None) == "/mail/inbox/a@b?skip=50"
    )
    assert visit().url("/") == "/"


def test_a_form_is_ours_if_it_has_the_token_of_the_browsers_secret() -> None:
    secret = new_secret()
    cookies = {b"mailsacd_form": secret.encode()}
    sent = {"form_token": token_of(secret)}
    assert visit(cookie=cookies.get, fields=sent).is_form_of_ours()
    assert not visit(fields=sent).is_form_of_ours()
    assert not visit(cookie=cookies.get, fields={}).is_form_of_ours()
    assert not visit(cookie=cookies.get, fields={"form_token": token_of("")}).is_form_of_ours()
    assert not visit(cookie=cookies.get, fields=sent, session="of somebody").is_form_of_ours()
    assert not is_token("ä", secret)


def test_an_answer_stays_what_it_is_beside_its_cookies() -> None:
    looks = visit(secure=True)
    looks.render = lambda *_: Response(b"x", b"text/plain", 404, ((b"X-A", b"b"),), b"private")
    looks.set_theme("dark")
    answer = looks.shown("any.html")
    assert (answer.body, answer.content_type, answer.status) == (b"x", b"text/plain", 404)
    assert answer.cache_control == b"private"
    assert dict(answer.headers)[b"X-A"] == b"b"
    assert dict(answer.headers)[b"Set-Cookie"].endswith(b"; HttpOnly; SameSite=Lax; Secure")


@pytest.mark.parametrize(
    ("error", "status", "faults", "problem"),
    [
        (None, 200, {}, ""),
        (ForbiddenError("Not you"), 400, {"code": "Not you"}, ""),
        (ThrottledError("Too fast", retry_after_s=9), 429, {"code": "Too fast"}, ""),
        (
            InvalidInputError(
                "Two",
                (
                    Fault(field="to[0]", problem="is odd"),
                    Fault(field="to[7]", problem="is long"),
                ),
            ),
            400,
            {"to": "is odd; is long"},
            "",
        ),
    ],
)
def test_a_form_comes_again_with_what_is_wrong(
    error: MailsacdError | None, status: int, faults: dict[str, str], problem: str
) -> None:
    looks, seen = visit(), []

    def render(_: Visit, template: str, values: Mapping[str, Any], status: int) -> Response:
        seen.append((template, dict(values), status))
        return Response()

    looks.render = render
    looks.form("any.html", error, "code", name="x")
    shown = {"faults": faults, "problem": problem, "name": "x"}
    assert seen == [("any.html", shown, status)]


def test_a_redirect_says_something_once() -> None:
    looks = visit("/mail")
    answer = looks.redirect("/inbox/a@b", "Gone; for good")
    assert dict(answer.headers)[b"Location"] == b"/mail/inbox/a@b"
    cookie = dict(answer.headers)[b"Set-Cookie"]
    assert cookie.startswith(b"mailsacd_notice=Gone%3B%20for%20good; Path=/mail; Max-Age=30")
    again = visit(cookie={b"mailsacd_notice": b"Gone%3B%20for%20good"}.get)
    assert again.take_notice() == "Gone; for good"
    assert b"Max-Age=0" in dict(again.redirect("/").headers)[b"Set-Cookie"]
