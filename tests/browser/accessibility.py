"""Asks axe-core what of a page keeps people from using it, in both themes."""

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

AXE: Final = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
THEMES: Final = ("light", "dark")
_COLOURS: Final = ("color-contrast", "link-in-text-block")  # all that differs between themes
_RUN: Final = """async rules => (await axe.run(document, {
    iframes: false, resultTypes: ["violations"], ...rules ? {runOnly: rules} : {},
})).violations.map(rule => ({rule: rule.id, help: rule.help, nodes: rule.nodes.map(node =>
        `${node.target.join(" ")}: ${node.failureSummary} ${node.html.slice(0, 200)}`)}))"""


def violations(page: Page) -> list[dict[str, Any]]:
    """All that axe-core finds wrong with ``page`` as it is shown now: of WCAG and best practices.

    What is in frames is somebody's mail, and not looked at.
    """
    page.evaluate(AXE.read_text())  # by the debugger: the page's policy keeps scripts out
    found: list[dict[str, Any]] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        rules = None if theme == THEMES[0] else _COLOURS
        found += [{"theme": theme, **each} for each in page.evaluate(_RUN, rules)]
    return found
