"""Every page that the package declares, found without anybody who lists them."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Final

import mailsacd.web.pages
from mailsacd.web.filters import segment
from mailsacd.web.page import Page, PageGroup

_IN_BRACES: Final = re.compile(r"\{(\w+)\}")


def declared_pages() -> list[Page]:
    """All pages that are got, in the order of their paths."""
    pages = (page for group in _groups() for page in group.pages() if page.method == "GET")
    return sorted(pages, key=lambda page: page.path)


def path_of(page: Page, values: Mapping[str, str]) -> str:
    """The path of ``page`` with ``values`` by the names of its parameters, which are all there."""
    return _IN_BRACES.sub(lambda name: segment(values[name[1]]), page.path)


def _groups() -> Iterator[PageGroup]:
    package = mailsacd.web.pages
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for each in vars(importlib.import_module(found.name)).values():
            if inspect.isclass(each) and each.__module__ == found.name and hasattr(each, "pages"):
                yield each.__new__(each)  # what it declares takes nothing of what it is made with
