"""Whether a message has what a term of a search query asks for: by its row, and by its content."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

from mailsacd.core.folding import fold
from mailsacd.core.message import Message
from mailsacd.core.message_form import searched
from mailsacd.core.people_texts import recipient_texts, sender_texts
from mailsacd.core.query_terms import Field, Term
from mailsacd.mime import header
from mailsacd.mime.bodies import within_limits
from mailsacd.mime.parse import texts
from mailsacd.mime.trace import end_of_trace
from mailsacd.mime.words import words_of_html


class RowAnswers:
    """What the row of a ``message`` tells, of which ``facts`` are the text of its facts, read."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.facts = searched(message.facts)

    def __call__(self, term: Term) -> bool | None:
        """Whether the message has what ``term`` asks for; None: its row does not tell."""
        answer = _BY_ROW.get(term.field)
        return None if answer is None else answer(self, term)

    @cached_property
    def texts(self) -> Mapping[str, Sequence[str]]:
        """What is compared with the texts of terms, by their fields."""
        facts = self.facts
        return {
            "subject": (fold(facts.subject),),
            "from": tuple(map(fold, sender_texts(facts))),
            "to": tuple(map(fold, recipient_texts(facts))),
        }


def _is_anywhere(row: RowAnswers, term: Term) -> bool | None:
    return any(term.text in text for texts in row.texts.values() for text in texts) or None


def _is_in_field(row: RowAnswers, term: Term) -> bool:
    return any(term.text in text for text in row.texts[term.field])


def _is_in_state(row: RowAnswers, term: Term) -> bool:
    marks = row.message.marks
    if term.text == "starred":
        return marks.saved_by is not None
    return (marks.read is True) is (term.text == "read")


_BY_ROW: Final[Mapping[Field, Callable[[RowAnswers, Term], bool | None]]] = {
    "any": _is_anywhere,
    "subject": _is_in_field,
    "from": _is_in_field,
    "to": _is_in_field,
    "state": _is_in_state,
    "folder": lambda row, term: row.message.marks.folder == term.text,
    "label": lambda row, term: term.text in row.message.marks.labels,
    "id": lambda row, term: row.message.id >= term.text,
    "attachment": lambda row, _: bool(row.facts.attachments),
    "larger": lambda row, term: row.facts.size > term.number,
    "smaller": lambda row, term: row.facts.size < term.number,
    "link": lambda row, term: any(term.text in fold(url) for url in row.facts.links),
}


class WholeAnswers:
    """What the row tells, and where that is nothing the message itself, of which ``raw`` is the
    beginning, with its trace headers.
    """

    def __init__(self, row: RowAnswers, raw: bytes) -> None:
        self._row = row
        self._raw = raw

    def __call__(self, term: Term) -> bool:
        """Whether the message has what ``term`` asks for."""
        found = self._row(term)
        if found is not None:
            return found
        if term.field == "raw":
            return term.text.encode().lower() in self._lower
        if term.field == "header":
            return any(
                term.text in fold(header.decode(value))
                for name, value in self._fields
                if name == term.name
            )
        wanted = term.text
        if " " not in wanted:
            return any(wanted in text for text in self._bodies)
        return " ".join(wanted.split()) in self._in_one_line

    @cached_property
    def _lower(self) -> bytes:
        return self._raw.lower()

    @cached_property
    def _fields(self) -> list[tuple[str, bytes]]:
        end = end_of_trace(self._raw)
        own = header.read(self._raw[end:])[1].fields
        fields = (*header.split(self._raw, 0, end).fields, *own)
        return [(name.decode("ascii").lower(), value) for name, value in fields]

    @cached_property
    def _bodies(self) -> list[str]:
        found = within_limits(texts(self._raw[end_of_trace(self._raw) :]))
        return [fold(words_of_html(each.source) if each.is_html else each.source) for each in found]

    @cached_property
    def _in_one_line(self) -> str:
        return " ".join("\n".join(self._bodies).split())
