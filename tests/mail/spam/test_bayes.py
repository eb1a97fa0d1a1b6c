"""How what is known of tokens is put together."""

import pytest

from mailsacd.mail.spam.bayes import LEAST, MOST_TOKENS, is_enough, judge
from mailsacd.store.spam_tokens import Seen

MESSAGES = Seen(100, 300)
IN_SPAM, IN_HAM, IN_BOTH = Seen(40, 0), Seen(0, 120), Seen(30, 90)


@pytest.mark.parametrize(
    ("tokens", "low", "high"),
    [
        ([IN_SPAM] * 10, 0.99, 1), ([IN_HAM] * 10, 0, 0.01), ([IN_BOTH] * 10, 0, 0),
        ([IN_SPAM] * 10 + [IN_HAM] * 10, 0.2, 0.35), ([Seen(0, 0)] * 10, 0, 0), ([], 0, 0),
        ([IN_SPAM] * 500, 1, 1), ([IN_HAM] * 500, 0, 0), ([Seen(1, 0)], 0.2, 0.5),
    ],
)  # fmt: skip
def test_the_more_tokens_came_in_spam_the_likelier_it_is(
    tokens: list[Seen], low: float, high: float
) -> None:
    score, _ = judge(dict(enumerate(tokens)), MESSAGES)
    assert low <= score <= high


def test_it_tells_what_each_token_says() -> None:
    _, said = judge({1: IN_SPAM, 2: IN_HAM, 3: IN_BOTH}, MESSAGES)
    assert sorted(said) == [1, 2]  # the third says nothing
    assert said[1] > 0.4
    assert said[2] < -0.4


def test_those_that_say_most_decide() -> None:
    tokens = dict(enumerate([IN_SPAM] * MOST_TOKENS + [Seen(10, 20)] * 100))
    _, said = judge(tokens, MESSAGES)
    assert sorted(said) == list(range(MOST_TOKENS))


def test_few_messages_are_not_enough() -> None:
    assert not is_enough(Seen(LEAST - 1, 10_000))
    assert not is_enough(Seen(10_000, LEAST - 1))
    assert is_enough(Seen(LEAST, LEAST))
