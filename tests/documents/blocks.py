"""The code blocks of README.md and docs/."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block: `language` is the first word behind its fence, empty where there is none."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it is, for people who look for it."""
        return f"{self.page}:{self.line}"

    @property
    def begins(self) -> str:
        """Return its first line, by which the tests tell it from others of its page."""
        return self.text.partition("\n")[0]


def blocks() -> Iterator[Block]:
    """Yield each block, page by page, from the top down."""
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield from blocks_of(file)


def blocks_of(file: Path) -> Iterator[Block]:
    """Yield each block of one page of the repository, from the top down."""
    for token in MarkdownIt("commonmark").parse(file.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            assert token.map
            yield Block(
                page=str(file.relative_to(ROOT)),
                line=token.map[0] + 1,
                language=token.info.partition(" ")[0],
                text=token.content,
            )
