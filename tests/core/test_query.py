"""The language of search queries: what a text asks for, and what is said of one that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.narrowing import Narrowing, narrowing
from mailsacd.core.query import MAX_DEPTH, MAX_QUERY_CHARACTERS, MAX_TERMS, QueryError, parse
from mailsacd.core.query_terms import All, Not, Query, Some, Term, fits
from mailsacd.core.search import Terms

A, B, C = (Term(field="any", text=text) for text in "abc")
JANUARY = Term(field="id", text="01dxf6dt00")

ASKED: list[tuple[str, Query]] = [
    ("a", A),
    ("A b", All((A, B))),
    ("a AND b", All((A, B))),
    ("a OR b c", Some((A, All((B, C))))),
    ("(a OR b) c", All((Some((A, B)), C))),
    ("a OR(b)", Some((A, B))),
    ("-a", Not(A)),
    ("NOT a", Not(A)),
    ("--a", Not(Not(A))),
    ("-(a b)", Not(All((A, B)))),
    ("  a  ", A),
    ("a-b", Term(field="any", text="a-b")),
    ('"OR"', Term(field="any", text="or")),
    ("Oregon", Term(field="any", text="oregon")),
    ('"two  Words"', Term(field="any", text="two  words")),
    (r'"say \"a\\b\""', Term(field="any", text=r'say "a\b"')),
    ('"from:x"', Term(field="any", text="from:x")),
    ("https://shop.example/x", Term(field="any", text="https://shop.example/x")),
    ("10:30", Term(field="any", text="10:30")),
    ("FROM:Ann", Term(field="from", text="ann")),
    ('to:"Ann B"', Term(field="to", text="ann b")),
    ("subject:É", Term(field="subject", text="é")),
    ("body:x", Term(field="body", text="x")),
    ("raw:X", Term(field="raw", text="X")),
    ("header:X-Id=7", Term(field="header", name="x-id", text="7")),
    ('header:X-Id="A b"', Term(field="header", name="x-id", text="a b")),
    ("header:List-Id", Term(field="header", name="list-id")),
    ("link:Shop.example", Term(field="link", text="shop.example")),
    ("has:attachment", Term(field="attachment")),
    ("is:unread", Term(field="state", text="unread")),
    ("folder:Spam", Term(field="folder", text="spam")),
    ('label:"of May"', Term(field="label", text="of May")),
    ("after:2020-01-01", JANUARY),
    ("before:2020-01-01T00:00:00Z", Not(JANUARY)),
    ("larger:5M", Term(field="larger", number=5_242_880)),
    ("smaller:10kb", Term(field="smaller", number=10_240)),
    ("a tag:Mine", All((A, Some((B, C))))),
]

WRONG: list[tuple[str, int, str]] = [
    ("", 1, "something to search for is missing"),
    ("a OR", 5, "something to search for is missing"),
    ("OR a", 1, "something to search for is missing"),
    ("a AND", 6, "something to search for is missing"),
    ("a ()", 4, "something to search for is missing"),
    ("a (b", 3, "the parenthesis is not closed"),
    ("a) b", 2, "a parenthesis is closed that was not opened"),
    ('a "b', 3, "the quotes are not closed"),
    ('""', 1, "the quotes are empty"),
    ("a -", 3, "what is not to be there is missing"),
    ("re: x", 1, "there is no re:, but from:, to:,"),
    ("a from:", 8, "a text has to follow from:"),
    ("from:(a b)", 6, "a text has to follow from:"),
    ("has:wings", 5, "what follows has: is not attachment"),
    ("is:late", 4, "what follows is: is none of read, unread, starred"),
    ("folder:attic", 8, "what follows folder: is none of inbox,"),
    ("after:2020", 7, "what follows after: is neither an ISO 8601 date"),
    ("after:2020-02-31", 7, "what follows after: is not a date and time that exists"),
    ("larger:much", 8, "what follows larger: is not a number of bytes"),
    ("header:=x", 8, "what follows header: is not the name of a header field"),
    ("tag:other", 1, "there is no saved search 'other'"),
    ("tag:old", 1, "in the saved search 'old', at character 1: there is no gone:"),
    ("tag:round", 1, "in the saved search 'round', at character 1: tag: is for the saved"),
    ("-" * (MAX_DEPTH + 1) + "a", MAX_DEPTH + 1, "more than 8 parentheses and signs"),
    ("(" * 400 + "a" + ")" * 90, MAX_DEPTH + 1, "more than 8 parentheses and signs"),
    ("a " * (MAX_TERMS + 1), 2 * MAX_TERMS + 1, "there are more than 40 terms"),
    ("tag:many " * 2, 10, "in the saved search 'many', at character"),
    ("a" * (MAX_QUERY_CHARACTERS + 1), MAX_QUERY_CHARACTERS + 1, "it has more than 500 characters"),
]
SAVED = {
    "mine": "b OR c",
    "old": "gone:x",
    "round": "tag:round",
    "many": "a " * (MAX_TERMS // 2 + 1),
}


@pytest.mark.parametrize(("text", "query"), ASKED)
def test_what_a_query_asks_for(text: str, query: Query) -> None:
    assert parse(text, SAVED) == query


@pytest.mark.parametrize(("text", "position", "problem"), WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str, position: int, problem: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text, SAVED)
    (fault,) = raised.value.faults
    assert fault.field == "query"
    assert fault.problem.startswith(f"at character {position}: {problem}")


def test_nobody_without_an_account_has_saved_searches() -> None:
    with pytest.raises(QueryError, match="tag: is for the saved searches of an account"):
        parse("tag:mine")


@given(st.text('ab ()"-\\:=OR\nfrom:is:', max_size=60))
def test_any_text_is_a_query_or_wrong(text: str) -> None:
    try:
        query = parse(text, SAVED)
    except QueryError:
        return
    assert fits(query, lambda _: True) is not None
    assert narrowing(query)


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        ("a b", True, True, True),
        ("a b", None, False, False),
        ("a b", None, True, None),
        ("a OR b", None, True, True),
        ("a OR b", None, False, None),
        ("a OR b", False, False, False),
        ("-a", None, True, None),
        ("-a b", False, True, True),
        ("-(a OR b)", False, None, None),
        ("-(a OR b)", None, True, False),
    ],
)
def test_what_is_not_known_matters_only_where_it_decides(
    text: str, a: bool | None, b: bool | None, expected: bool | None
) -> None:
    known = {A: a, B: b}
    assert fits(parse(text), lambda term: known[term]) is expected


NARROWED: list[tuple[str, Narrowing]] = [
    ("a", Narrowing(is_all=False)),
    ("subject:x", Narrowing(subject="x")),
    ("subject:x subject:x", Narrowing(subject="x")),
    ("subject:x subject:y", Narrowing(subject="x", is_all=False)),
    ("subject:x OR subject:y", Narrowing(is_all=False)),
    ("-subject:x", Narrowing(is_all=False)),
    ("a from:x (to:y is:read)", Narrowing(sender="x", recipients="y", read=True, is_all=False)),
    ("is:unread -is:starred", Narrowing(read=False, starred=False)),
    ("-is:read", Narrowing(read=False)),
    ("folder:spam label:L", Narrowing(folder="spam", label="L")),
    ("-folder:spam", Narrowing(is_all=False)),
    ("subject:ГРЮН from:Ærø to:注文", Narrowing(subject="грюн", sender="ærø", recipients="注文")),
    ("subject:Đề", Narrowing(is_all=False)),
    ("from:ՀԱՅ is:read", Narrowing(read=True, is_all=False)),
    ("to:ΟΔΟΣ", Narrowing(is_all=False)),
    (
        "after:2020-01-01 after:2019-01-01 before:2021-01-01 -after:2020-01-01",
        Narrowing(from_id="01dxf6dt00", before_id="01dxf6dt00"),
    ),
]


@pytest.mark.parametrize(("text", "expected"), NARROWED)
def test_what_all_that_fit_have_in_common(text: str, expected: Narrowing) -> None:
    assert narrowing(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subject:x from:y is:unread", Terms(subject="x", sender="y", read=False)),
        ("folder:spam", Terms(folder="spam")),
        ("subject:x is:starred", None),
        ("subject:x after:2020-01-01", None),
        ("subject:x word", None),
        ("word", None),
        ("subject:Đề", None),
        ('from:"Ann Smith"', None),
        ('subject:"of May"', Terms(subject="of may")),
    ],
)
def test_what_the_index_finds_alone(text: str, expected: Terms | None) -> None:
    assert narrowing(parse(text)).as_terms() == expected
