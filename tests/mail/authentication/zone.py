"""Evaluations without a DNS: a table of records answers their questions."""

from collections.abc import Mapping
from typing import Any, TypeVar

from mailsacd.core.dns import Found, MailHost
from mailsacd.core.errors import LookupFailedError
from mailsacd.mail.authentication.evaluation import Evaluation, Question, evaluate

T = TypeVar("T")

FAILS = object()
"""A record that stands for a server that does not answer."""


class Zone:
    """Records by kind and name: ``{"TXT example.com": ["v=spf1 -all"]}``."""

    def __init__(self, records: Mapping[str, Any]) -> None:
        self.records = dict(records)
        self.asked: list[str] = []

    def run(self, evaluation: Evaluation[T]) -> T:
        """What ``evaluation`` comes to, which waits for nothing."""
        try:
            evaluate(evaluation, self._answer).send(None)
        except StopIteration as e:
            result: T = e.value
            return result
        raise AssertionError("it waits for an answer")

    async def _answer(self, question: Question) -> Found[Any]:
        name = f"{question.kind} {question.name.lower()}"
        self.asked.append(name)
        found = self.records.get(name, ())
        if found is FAILS:
            raise LookupFailedError("The name servers do not answer")
        texts = (found,) if isinstance(found, str) else tuple(found)
        if question.kind == "MX":
            return Found(tuple(MailHost(10, host) for host in texts))
        exists = any(known.partition(" ")[2] == question.name.lower() for known in self.records)
        return Found(texts, exists)
