"""Addresses as senders write them: each text means one thing, or is refused."""

from email import message_from_string
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.mail.sending.compose import address_field
from mailsacd.mail.sending.mailboxes import Mailbox, mailboxes, written_address

GOOD = {
    "a@b.example": Mailbox("a@b.example"),
    " <a@b.example> ": Mailbox("a@b.example"),
    "Ann Lee <Ann@B.Example>": Mailbox("Ann@b.example", "Ann Lee"),
    '"Lee, Ann" <a@b.example>': Mailbox("a@b.example", "Lee, Ann"),
    '"Lee \\"Q\\" \\\\" <a@b.example>': Mailbox("a@b.example", 'Lee "Q" \\'),
    '"ceo@bank.example" <a@b.example>': Mailbox("a@b.example", "ceo@bank.example"),
    "J. R. 'Bob' Dobbs <a@b.example>": Mailbox("a@b.example", "J. R. 'Bob' Dobbs"),
    "a@b.example (Ann)": Mailbox("a@b.example", "Ann"),
    '"a b"@c.example': Mailbox('"a b"@c.example'),
    '"ab"@c.example': Mailbox("ab@c.example"),
    "a..b@c.example": Mailbox("a..b@c.example"),
    "jürgen@bücher.example": Mailbox("jürgen@xn--bcher-kva.example"),
    "a@\uff45xample.example": Mailbox("a@example.example"),  # a wide e
    "a@\u0435xample.example": Mailbox("a@xn--xample-2of.example"),  # a Cyrillic e
    "a@[192.0.2.1]": Mailbox("a@[192.0.2.1]"),
    "=?utf-8?q?x?= <a@b.example>": Mailbox("a@b.example", "=?utf-8?q?x?="),
}
BAD = (
    "nobody", "@b.example", "a@", "a@b@c.example", "a b@c.example", "a@b c.example",
    "ceo@bank.example <a@b.example>", "a@b.example <ceo@bank.example>", "<a@b.example>x",
    "<a@b.example> <ceo@bank.example>", "(x) a@b.example", "a(x)@b.example", "a@b.example(x(y))",
    "a@b.example (<ceo@bank.example>)", "group: a@b.example;", "a@b.example;", "<>",
    "<@bank.example:a@b.example>", '"a@b.example', 'a"b@c.example',
    "a@b.example\r\nBcc: c@d.example",
    "a@b.example\n", "a@b.example\0", "x\r\n y <a@b.example>", "a@-b.example", "a@b..example",
    "<a@b.example", "a@b.example>", "a@b.example, ,x", f"{'x' * 201} <a@b.example>",
    f"{'x' * 65}@b.example", "a\u2028b <a@b.example>", "a\\@b@c.example",
)  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_is_one_mailbox(text: str) -> None:
    assert mailboxes(text) == [GOOD[text]]


@pytest.mark.parametrize("text", BAD)
def test_what_could_be_read_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        mailboxes(text)


def test_several_stand_between_commas_outside_of_quotes() -> None:
    found = mailboxes('a@b.example,"x, y" <c@d.example>, ,"e,f"@g.example,')
    assert [one.address for one in found] == ["a@b.example", "c@d.example", '"e,f"@g.example']
    assert mailboxes(" ") == []


names = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co")), max_size=60
)


@given(st.lists(names, min_size=1, max_size=4))
def test_whatever_a_name_is_the_field_has_these_addresses_and_no_others(
    several: list[str],
) -> None:
    people = [
        Mailbox(f"a{place}@b.example", " ".join(name.split())) for place, name in enumerate(several)
    ]
    field = address_field("To", people)
    assert all(len(line) <= 998 for line in field.split("\r\n"))
    assert "\n" not in field.replace("\r\n", "")
    assert not any(line.strip() == "" for line in field.split("\r\n")[:-1])
    parsed = message_from_string(f"{field}\r\n", policy=SMTP)["To"]
    assert [one.addr_spec for one in parsed.addresses] == [one.address for one in people]


@given(st.text(max_size=80))
def test_what_is_read_is_read_the_same_once_more(text: str) -> None:
    try:
        once = written_address(text)
    except ValueError:
        return
    assert written_address(once) == once
    assert "\r" not in once
    assert "\n" not in once


def test_a_name_that_looks_encoded_is_shown_as_it_is() -> None:
    field = address_field("To", [Mailbox("a@b.example", "=?utf-8?q?x?=")])
    parsed = message_from_string(f"{field}\r\n", policy=SMTP)["To"]
    assert [one.display_name for one in parsed.addresses] == ["=?utf-8?q?x?="]
