"""The one style sheet of all pages."""

import re
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

from mailsacd import web
from mailsacd.web import filters

SECTION = re.compile(r"/\* (.*?) \*/", re.DOTALL)
MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # they change what is there
RULE = re.compile(r"([^{}]+)\{[^{}]*\}")


def test_a_class_is_the_matter_of_one_section() -> None:
    """Two that gave the same name to different things would change each other's pages."""
    sections: dict[str, set[str]] = defaultdict(set)
    sheet = (files(web) / "static" / "style.css").read_text()
    _, *parts = SECTION.split(MEDIA.sub("", sheet))
    for section, rules in zip(parts[::2], parts[1::2], strict=True):
        for rule in RULE.finditer(rules):
            for selector in rule[1].split(","):
                if re.fullmatch(r"\.[a-z0-9-]+", selector.strip()):
                    sections[selector.strip()].add(section)
    assert {name: found for name, found in sections.items() if len(found) > 1} == {}


def test_nothing_is_kept_that_no_page_uses() -> None:
    folder = files(web) / "templates"
    pages = "".join(each.read_text() for each in Path(str(folder)).rglob("*.html"))
    icons = re.findall(r'<symbol id="([^"]+)"', (files(web) / "static" / "icons.svg").read_text())
    assert [name for name in icons if f'"{name}"' not in pages] == []
    assert [name for name in filters.ALL if not re.search(rf"\| {name}\b", pages)] == []
