"""What fails again and again is left alone, longer each time, and tried by one alone."""

from mailsacd.core.circuit import FAILURES, FIRST_REST_S, LONGEST_REST_S, Circuit


def _broken() -> Circuit:
    circuit = Circuit()
    for number in range(FAILURES):
        assert circuit.begin(0)
        assert circuit.failed(0) is (number == FAILURES - 1)
    return circuit


def test_it_rests_after_some_failures_in_a_row() -> None:
    circuit = _broken()
    assert circuit.is_open(FIRST_REST_S - 1)
    assert not circuit.begin(FIRST_REST_S - 1)


def test_a_success_between_failures_is_no_row() -> None:
    circuit = Circuit()
    for _ in range(10):
        assert circuit.begin(0)
        assert not circuit.failed(0)
        assert circuit.begin(0)
        assert not circuit.succeeded()
    assert not circuit.is_open(0)


def test_after_the_rest_one_is_let_through_and_its_success_closes_it() -> None:
    circuit = _broken()
    assert circuit.begin(FIRST_REST_S)
    assert not circuit.begin(FIRST_REST_S)  # while that one is under way
    assert circuit.succeeded()
    assert circuit.begin(FIRST_REST_S)
    assert circuit.begin(FIRST_REST_S)


def test_each_trial_that_fails_makes_the_rest_longer_up_to_a_bound() -> None:
    circuit = _broken()
    now_s, rests = 0.0, []
    for _ in range(8):
        waited_s = 0.0
        while circuit.is_open(now_s + waited_s):
            waited_s += FIRST_REST_S
        rests.append(waited_s)
        now_s += waited_s
        assert circuit.begin(now_s)
        assert not circuit.failed(now_s)
    assert rests == [10, 20, 40, 80, 160, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]


def test_those_asked_before_the_rest_make_it_no_longer() -> None:
    circuit = _broken()
    for _ in range(20):
        assert not circuit.failed(1)
    assert circuit.begin(FIRST_REST_S)


def test_who_gives_up_says_nothing_of_who_was_asked() -> None:
    circuit = Circuit()
    for _ in range(2 * FAILURES):
        assert circuit.begin(0)
        circuit.given_up()
    assert not circuit.is_open(0)
    circuit = _broken()
    assert circuit.begin(FIRST_REST_S)
    circuit.given_up()
    assert circuit.begin(FIRST_REST_S)  # another trial, without a longer rest
    assert not circuit.begin(FIRST_REST_S)
