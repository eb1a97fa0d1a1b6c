"""Which links there are, what is loaded, and which are not opened unasked."""

from time import process_time

import pytest

from mailsacd.mail.checks.found_links import Link, found_links
from tests.mail.checks.subjects import FIELDS, subject

A = "https://a.example/x"
B = "https://b.example/y"


@pytest.mark.parametrize(
    ("text", "html", "left_out"),
    [
        (f"Read {A} now", None, None),
        (f"To unsubscribe, open {A} now", None, "unsubscribe"),
        (f"To confirm your address, open\n\n  <{A}>\n", None, "one-time"),
        (f"Please confirm the date.\n\nRead\n{A}", None, None),
        (None, f'<p>Verify it.<p><a href="{A}">Our shop</a>', None),
        (None, f'<a href="{A}">Verify my address</a>', "one-time"),
        (None, f'<a href="{A}"><b>Sign</b> <i>in</i></a>', "one-time"),
        (None, f'<a href="{A}"><img alt="Unsubscribe"></a>', "unsubscribe"),
        (None, f'<a href="{A}" title="Unsubscribe">x</a>', "unsubscribe"),
        (None, f'To unsubscribe click <a href="{A}">here</a>.', "unsubscribe"),
        (None, f'Click <a href="{A}">here</a> to confirm it.', "one-time"),
        (None, f'Zum Bestätigen <a href="{A}">{A}</a>', "one-time"),
        (None, f'<table><td>Sign in<td><a href="{A}">here</a></table>', "one-time"),
        (None, f'<p>Sign in<p>Read it.<p><a href="{A}">here</a>', None),
        (None, f'<map><area href="{A}" alt="Sign in"></map>', "one-time"),
        (None, f'<a href="{A}">Home</a> | <a href="{B}">Unsubscribe</a>', None),
        (f"Confirm: {A}", f'<a href="{A}">Our shop</a>', "one-time"),  # one of them is enough
        (None, '<a href="https://a.example/confirm?x=1">Our shop</a>', "one-time"),
        (None, f'<img src="{A}" width="600">', None),
        (None, f'<img src="{A}" width="1" height="1px">', "tracking"),
        (None, f'<img src="{A}" style="display: none">', "tracking"),
        (None, f'<img src="{A}" style="max-width:1px">', None),
        (None, '<img src="https://a.example/confirm.png">', None),
        (None, '<img src="https://a.example/track/open?u=1" width="90">', "tracking"),
        (None, f'<p style="background: url({A})">x</p>', None),
    ],
)
def test_a_link_that_is_not_opened_unasked(
    text: str | None, html: str | None, left_out: str | None
) -> None:
    assert found_links(subject(text, html))[0].left_out == left_out


def test_what_is_loaded_is_told_apart() -> None:
    html = f'<table background="{A}"><td><img src="{B}"><a href="https://c.example/">c</a></table>'
    assert [(link.url, link.is_loaded) for link in found_links(subject(None, html))] == [
        (A, True),
        (B, True),
        ("https://c.example/", False),
    ]


def test_a_link_that_confirms_something_by_the_subject_alone() -> None:
    fields = {**FIELDS, "Subject": "Confirm your email address"}
    html = '<a href="https://a.example/x?t=Zk3PqR7sT9vW2xY4">Continue</a>'
    (link,) = found_links(subject(None, html, fields=fields))
    assert link.left_out == "one-time"


def test_a_url_of_list_unsubscribe_is_none_to_be_opened() -> None:
    value = f"(not <{B}>) <mailto:a@b.example>, <{A}>"
    fields = {**FIELDS, "List-Unsubscribe": value}
    found = found_links(subject(f"See {A} or ftp://c.example/ or {B}", fields=fields))
    assert found == (Link(url=A, left_out="unsubscribe"), Link(url=B))


def test_many_links_take_little_time() -> None:
    html = "".join(f'text <a href="https://a.example/{n}">here</a>' for n in range(3_000))
    text = "".join(f"https://a.example/{n} " for n in range(3_000))
    made = subject(text, html)
    before = process_time()
    assert len(found_links(made)) == 1_000
    assert process_time() - before < 1.0
