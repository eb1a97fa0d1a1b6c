"""Mails in the shapes in which services send them, with and without codes and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from mailsacd.core.codes_and_links import CodesAndLinks
from mailsacd.mail.reading.message_codes import codes_of
from mailsacd.mime.parse import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A mail, and what is to be found in it; ``links`` are kinds and URLs."""

    subject: str
    text: str
    html: str
    codes: list[str]
    links: list[tuple[str, str]]

    def found(self) -> CodesAndLinks:
        """Return what is found in the mail once it was sent and parsed."""
        mail = EmailMessage()
        mail["Subject"] = self.subject
        if self.text:
            mail.set_content(self.text)
        if self.html:
            (mail.add_alternative if self.text else mail.set_content)(self.html, subtype="html")
        return codes_of(parse(mail.as_bytes()))


def shapes() -> Iterator[Shape]:
    """All of them; most of those without a code or link look as if they had one."""
    whole = Path(__file__).with_name("code_shapes.txt").read_text(encoding="utf-8")
    for mail in whole.rstrip("\n").split("\n========\n"):
        head, _, body = mail.partition("\n\n")
        text, _, html = body.partition("--html\n")
        codes = re.search("^codes:(.*)$", head, re.MULTILINE)
        subject = re.search("^subject:(.*)$", head, re.MULTILINE)
        assert codes is not None, mail
        assert subject is not None, mail
        yield Shape(
            subject=subject[1].strip(),
            text=text.strip(),
            html=html.strip(),
            codes=codes[1].split(),
            links=re.findall(r"^link: (\S+) (\S+)$", head, re.MULTILINE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of what is in all shapes: how much there is, is found, and is found where it is not."""

    there: int
    found: int
    traps: int
    false_alarms: int

    def __str__(self) -> str:
        """Both figures, as the documents have them."""
        alarms = f"false alarms in {self.false_alarms} of {self.traps} mails"
        return f"{self.found} of {self.there} found, {alarms}"


def figures() -> tuple[Figures, Figures]:
    """Return those of codes and of links."""
    looked_at = [(shape, shape.found()) for shape in shapes()]
    return (
        _figures([(shape.codes, list(found.codes)) for shape, found in looked_at]),
        _figures(
            [
                ([url for _, url in shape.links], [each.url for each in found.links])
                for shape, found in looked_at
            ]
        ),
    )


def _figures(pairs: list[tuple[list[str], list[str]]]) -> Figures:
    return Figures(
        there=sum(len(there) for there, _ in pairs),
        found=sum(len(set(there) & set(found)) for there, found in pairs),
        traps=sum(not there for there, _ in pairs),
        false_alarms=sum(bool(set(found) - set(there)) for there, found in pairs),
    )


if __name__ == "__main__":
    of_codes, of_links = figures()
    print(f"codes: {of_codes}\nlinks: {of_links}")  # noqa: T201  a program
