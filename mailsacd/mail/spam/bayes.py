"""The classifier's arithmetic: how often tokens came in spam and in other mail, put together.

It is Gary Robinson's (A Statistical Approach to the Spam Problem, Linux Journal 107, 2003), which
is Fisher's method over the tokens that say the most.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Final

from mailsacd.store.spam_tokens import Seen

MOST_TOKENS: Final = 150
"""So many tokens decide: those that say the most."""

LEAST: Final = 50
"""So many messages of either kind have to be known before anything is judged by them: with fewer,
of a hundred good messages several were taken for spam (docs/spam.md)."""

_STRENGTH: Final = 0.45
"""How much is held against what is known of a token, which may be chance: half a message."""

_LEAST_OFF_CENTRE: Final = 0.1
_SURE: Final = 0.9
"""What the combined indicator has to be for a message to be called spam."""


def is_enough(messages: Seen) -> bool:
    """Return whether ``messages`` are enough to judge others by."""
    return min(messages.spam, messages.ham) >= LEAST


def judge(seen: Mapping[int, Seen], messages: Seen) -> tuple[float, dict[int, float]]:
    """Return how likely a message is spam, 0 to 1, and how much each token that counted says.

    ``seen`` are its tokens, by any key, and ``messages`` how many have been learned, which are
    enough. 0.5 is where it is to be called spam.
    """
    said = {key: _says(token, messages) for key, token in seen.items()}
    telling = sorted(
        (key for key, share in said.items() if abs(share - 0.5) >= _LEAST_OFF_CENTRE),
        key=lambda key: (-abs(said[key] - 0.5), key),
    )[:MOST_TOKENS]
    if not telling:
        return 0.0, {}
    spam = 1 - _chi2q(-2 * sum(log(1 - said[key]) for key in telling), len(telling))
    ham = 1 - _chi2q(-2 * sum(log(said[key]) for key in telling), len(telling))
    return _centred((1 + spam - ham) / 2), {key: said[key] - 0.5 for key in telling}


def _says(token: Seen, messages: Seen) -> float:
    """How likely a message with the token is spam: Robinson's f(w)."""
    in_spam, in_ham = token.spam / messages.spam, token.ham / messages.ham
    count = token.spam + token.ham
    if not count:
        return 0.5
    return (_STRENGTH * 0.5 + count * in_spam / (in_spam + in_ham)) / (_STRENGTH + count)


def _chi2q(chi2: float, pairs: int) -> float:
    """How likely chance alone is at least as far off, with 2 * ``pairs`` degrees of freedom."""
    half = chi2 / 2
    term = total = exp(-half)
    for number in range(1, pairs):
        term *= half / number
        total += term
    return min(total, 1.0)


def _centred(indicator: float) -> float:
    """What is unsure is below 0.5, and what is spam above."""
    if indicator < _SURE:
        return 0.5 * indicator / _SURE
    return 0.5 + 0.5 * (indicator - _SURE) / (1 - _SURE)
