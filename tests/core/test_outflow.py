"""What waits for a reader: in order, in pieces, and what may still be taken back."""

import pytest

from mailsacd.core.outflow import PIECE_BYTES, Outflow


def _all(outflow: Outflow) -> list[bytes]:
    pieces = []
    while outflow:
        pieces.append(outflow.next_piece())
    return pieces


@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 300_000])
def test_all_comes_out_in_order_and_in_pieces(size: int) -> None:
    outflow = Outflow()
    data = [b"a" * size, b"b", b"c" * size]
    for each in data:
        outflow.add(each)
    pieces = _all(outflow)
    assert b"".join(pieces) == b"".join(data)
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert all(pieces)


def test_what_fits_is_not_copied() -> None:
    outflow = Outflow()
    data = b"x" * 1_000
    outflow.add(data)
    assert outflow.next_piece() is data


def test_nothing_waits_for_nothing() -> None:
    outflow = Outflow()
    outflow.add(b"")
    assert not outflow
    assert outflow.next_piece() == b""


def test_what_has_begun_is_finished_when_the_rest_is_dropped() -> None:
    outflow = Outflow()
    begun = b"a" * (PIECE_BYTES + 10)
    outflow.add(begun)
    outflow.add(b"never")
    first = outflow.next_piece()
    outflow.drop_unbegun()
    outflow.add(b"last")
    assert first + b"".join(_all(outflow)) == begun + b"last"


def test_all_is_dropped_where_nothing_has_begun() -> None:
    outflow = Outflow()
    outflow.add(b"a")
    outflow.add(b"b")
    outflow.drop_unbegun()
    assert not outflow
