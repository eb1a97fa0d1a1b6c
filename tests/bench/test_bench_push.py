"""What the push bench reads off the wire, and what it makes of it."""

from bench.listeners import frame_end, number_in
from bench.push import judge

SHORT = b"\x81\x05hello"
MIDDLE = b"\x81\x7e\x01\x00" + b"x" * 256
LONG = b"\x81\x7f" + (70_000).to_bytes(8) + b"y" * 70_000


def test_frames_are_cut_where_they_end_however_they_come() -> None:
    wire = bytearray(SHORT + MIDDLE + LONG)
    ends = [frame_end(wire, 0)]
    for _ in range(2):
        assert ends[-1] is not None
        ends.append(frame_end(wire, ends[-1][1]))
    assert ends == [(2, 7), (11, 267), (277, 70_277)]
    for frame in (SHORT, MIDDLE, LONG[:400]):
        for length in range(len(frame)):
            assert frame_end(bytearray(frame[:length]), 0) is None


def test_the_number_is_found_in_the_subject() -> None:
    assert number_in(bytearray(b'{"subject":"number 17","x":1}'), 0, 29) == 17
    assert number_in(bytearray(b'{"status":200,"msg":"ok"}'), 0, 25) is None


def test_what_was_missed_or_came_twice_is_told() -> None:
    acknowledged = dict.fromkeys(range(100, 103), 1.0)
    whole = [(100, 1.001), (101, 1.001), (102, 1.001)]
    assert [v.met for v in judge(acknowledged, [whole, whole])] == [True, True, True]
    late = [(100, 1.001), (101, 1.001), (102, 1.05)]
    assert [v.met for v in judge(acknowledged, [late, whole])] == [False, True, True]
    assert [v.met for v in judge(acknowledged, [whole, late])] == [True, True, True]
    for faulty in (whole[:2], [*whole, whole[0]]):
        assert not judge(acknowledged, [whole, faulty])[-1].met
