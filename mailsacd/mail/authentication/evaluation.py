"""Evaluations that ask the DNS without doing so: they yield questions and are sent the answers.

So what is decided is apart from how it is looked up: an evaluation is a generator, run here by an
`Ask`, and by a table of records in a test of it.
"""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from mailsacd.core.authentication import Result
from mailsacd.core.dns import Found
from mailsacd.core.errors import LookupFailedError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the DNS: the records of a kind at ``name``.

    TXT, A, AAAA and PTR are answered by texts, MX by `core.dns.MailHost`; the ``name`` for PTR is
    an IP address.
    """

    kind: Literal["TXT", "MX", "A", "AAAA", "PTR"]
    name: str


Evaluation = Generator[Question, Found[Any], T]
"""Yields questions; where the DNS fails, LookupFailedError is thrown into it."""

Ask = Callable[[Question], Awaitable[Found[Any]]]
"""Answers a question. Raises LookupFailedError."""


class UnusableError(Exception):
    """Something cannot be evaluated: ``result`` is what that amounts to, the text says why."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result: Result = result
        self.reason = reason


async def evaluate(evaluation: Evaluation[T], ask: Ask) -> T:
    """Return what ``evaluation`` comes to. Raises what else ``ask`` raises."""
    try:
        question = next(evaluation)
        while True:
            try:
                answer = await ask(question)
            except LookupFailedError as e:
                question = evaluation.throw(e)
            else:
                question = evaluation.send(answer)
    except StopIteration as e:
        result: T = e.value
        return result
    finally:
        evaluation.close()
