"""Modules are short, and what is public says in a sentence what it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "mailsacd", *sorted((ROOT / "clients").glob("*/*mailsacd*/")))
MAX_LINES = 300
MIN_DOCSTRING_CHARS = 23  # shorter ones only repeat the name


def modules() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for file in sorted(package.rglob("*.py")):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_no_module_is_longer_than_anybody_likes_to_read() -> None:
    assert [name for name, text in modules() if len(text.splitlines()) > MAX_LINES] == []


def test_what_is_public_says_what_it_does() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    short = [
        f"{name}:{node.lineno} {node.name}: {told}"
        for name, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, kinds) and not node.name.startswith("_")
        if (told := ast.get_docstring(node)) is not None and len(told) < MIN_DOCSTRING_CHARS
    ]
    assert short == []
