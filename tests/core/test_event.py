"""Snapshots and sequences: what was seen is exact, and comes back from its text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailsacd.core.errors import InvalidInputError
from mailsacd.core.event import Position, Snapshot
from mailsacd.core.sequence import Sequences

KEY = b"k" * 16
SEQUENCES = Sequences(KEY)

MANY = st.integers(0, 40)


@st.composite
def snapshots(draw: st.DrawFn, base: int = 0) -> Snapshot:
    next_xid = base + draw(MANY)
    running = draw(st.frozensets(st.integers(0, max(next_xid - 1, 0)), max_size=8))
    return Snapshot(next_xid, frozenset(x for x in running if x < next_xid), draw(st.integers(0)))


@st.composite
def in_turn(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """A snapshot and a later one: nothing that was seen is unseen."""
    first = draw(snapshots())
    later = first.next_xid + draw(MANY)
    running = draw(st.frozensets(st.integers(0, later), max_size=8))
    still = frozenset(x for x in running if x < later and not first.sees(x))
    return first, Snapshot(later, still, first.taken_ms + draw(MANY))


def test_what_a_snapshot_sees() -> None:
    snapshot = Snapshot(10, frozenset({4, 7}), 0)
    assert [x for x in range(12) if snapshot.sees(x)] == [0, 1, 2, 3, 5, 6, 8, 9]


@given(in_turn(), MANY)
def test_up_to_a_transaction_the_later_one_counts(
    turn: tuple[Snapshot, Snapshot], xid: int
) -> None:
    first, later = turn
    if not later.sees(xid):
        return
    between = first.up_to(later, xid)
    for x in range(later.next_xid + 3):
        assert between.sees(x) == (first.sees(x) or (x <= xid and later.sees(x)))
    assert later.includes(between)
    assert between.includes(first)


@given(snapshots(), snapshots())
@example(Snapshot(13, frozenset(), 0), Snapshot(14, frozenset({0, 13}), 0))
def test_including_is_seeing_all_that_the_other_sees(one: Snapshot, other: Snapshot) -> None:
    seen = {x for x in range(100) if other.sees(x)}
    assert one.includes(other) == all(one.sees(x) for x in seen)


@given(in_turn(), st.one_of(st.none(), st.text(st.characters(max_codepoint=127), min_size=1)))
def test_a_sequence_is_a_position(turn: tuple[Snapshot, Snapshot], id_: str | None) -> None:
    position = Position(turn[0]) if id_ is None else Position(*turn, id_)
    text = SEQUENCES.write(position)
    assert SEQUENCES.read(text) == position
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


def test_a_usual_sequence_is_short() -> None:
    seen = Snapshot(10**9, frozenset({10**9 - 5}), 1_780_000_000_000)
    within = Snapshot(10**9 + 3, frozenset({10**9 + 1}), 1_780_000_060_000)
    assert len(SEQUENCES.write(Position(seen, within, "01m7xdjdj3t000tcvqbnw3-0"))) < 80


@given(st.text())
def test_any_text_is_refused_without_a_stir(text: str) -> None:
    with pytest.raises(InvalidInputError):
        SEQUENCES.read(text)


@given(in_turn(), st.data())
def test_a_sequence_that_was_changed_is_refused(
    turn: tuple[Snapshot, Snapshot], data: st.DataObject
) -> None:
    text = SEQUENCES.write(Position(*turn, "id"))
    place = data.draw(st.integers(0, len(text) - 2))  # the last may have bits that say nothing
    changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
    for other in (changed, text[:place], text + "AAAA"):
        with pytest.raises(InvalidInputError):
            SEQUENCES.read(other)
    with pytest.raises(InvalidInputError):
        Sequences(b"another").read(text)
