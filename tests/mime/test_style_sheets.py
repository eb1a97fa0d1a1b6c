"""Style sheets of strangers: what of them is read, which elements they mean, and hostile ones."""

from time import process_time

import pytest

from mailsacd.mime.selectors import MAX_COMPOUNDS
from mailsacd.mime.style_sheets import MAX_INLINE_CHARS, MAX_SHEET_CHARS, Styles
from mailsacd.mime.tree import tree_of

PAGE = (
    '<table class="a b"><tr><td id="x"><p class=a><b>c</b></p></td></tr></table><a href="#">d</a>'
)


def styles(sheet: str) -> Styles:
    return Styles(tree_of(f"<style>{sheet}</style>"))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("p", "p"),
        ("*", "style table tr td p b a"),
        (".a", "table p"),
        (".a.b", "table"),
        ("table.b", "table"),
        ("td#x", "td"),
        ("#y", ""),
        ("td b", "b"),
        ("td > b", ""),
        ("p>b", "b"),
        ("table.a td#x > .a b", "b"),
        (".b .a", "p"),
        ("a:link", "a"),
        ("a:hover", ""),  # what only a reader does is in no tree
        ("p::before", ""),
        ("[id]", ""),
        ("p + b", ""),
        ("p, a", "p a"),
        ("P", "p"),
        (" ".join("b" * (MAX_COMPOUNDS + 1)), ""),
        (",", ""),
        (".", ""),
        ("..a", "table p"),
    ],
)
def test_a_selector_means_the_elements_that_it_means_to_browsers(
    selector: str, expected: str
) -> None:
    root = tree_of(f"<style>{selector}{{color:red}}</style>{PAGE}")
    (rule,) = Styles(root).rules
    found = [each.name for each in root.elements() if any(s.fits(each) for s in rule.selectors)]
    if selector in (",", "."):
        return  # read without an error: browsers drop the rule
    assert " ".join(found) == expected


def test_a_selector_tells_what_it_uses_and_how_much_it_counts() -> None:
    (rule,) = styles("a.b > #c:hover::before, [d] ~ e {}").rules
    first, second = rule.selectors
    assert first.specificity == (1, 2, 2)
    assert first.kinds == {
        "selector-type", "selector-class", "selector-child", "selector-id", "pseudo-class-hover",
        "pseudo-element-before",
    }  # fmt: skip
    assert second.kinds == {"selector-attribute", "selector-general-sibling", "selector-type"}


def test_rules_within_conditions_are_told_apart_from_those_that_always_count() -> None:
    found = styles(
        "a{color:red} @media screen{b{color:red}} @media (prefers-color-scheme: dark){c{color:red}}"
        "@supports (x:y){@media screen{d{color:red}}} @font-face{src:url(x)} @import url(x);"
        "@media screen{@media all{e{}}}"
    )
    conditional = {rule.selectors[0].compounds[0].name: rule.conditional for rule in found.rules}
    assert conditional == {"a": False, "b": False, "c": True, "d": True, "e": False}
    names = [condition.name for condition in found.conditions]
    assert names == ["media", "media", "supports", "media", "font-face", "import", "media", "media"]
    assert "prefers-color-scheme" in found.conditions[1].words


def test_a_style_attribute_is_read_with_what_is_wrong_in_it_left_out() -> None:
    root = tree_of('<p style="color:red; ;width:; x y; HEIGHT:1px!important;--a:b">')
    (paragraph,) = root.elements()
    found = [(each.lower_name, each.important) for each in Styles(root).inline(paragraph)]
    assert found == [("color", False), ("width", False), ("height", True), ("--a", False)]


@pytest.mark.parametrize(
    "piece", ["(", "{", "a{b:", "@media x{", "a,", "a>.b ", "a{b{}", "\\", "'", "/*", "url(", "::a"]
)
def test_a_hostile_sheet_takes_little_time(piece: str) -> None:
    sheet = piece * (40_000 // len(piece))
    before = process_time()
    styles(sheet)
    assert process_time() - before < 2.0


def test_a_long_sheet_is_read_up_to_a_limit() -> None:
    rule = "a{b:c;" + "d" * 10_000 + ":e}"
    found = styles(rule * (MAX_SHEET_CHARS // len(rule)))
    assert not found.limited
    assert styles(rule * 20).limited
    assert len(styles(rule * 20).rules) == len(found.rules) + 1


def test_hostile_style_attributes_are_read_up_to_a_limit() -> None:
    source = "".join(f'<p style="a{number}:{"(" * 3_000}">' for number in range(100))
    root = tree_of(source)
    found = Styles(root)
    read = [each for each in root.elements() if found.inline(each)]
    assert len(read) == MAX_INLINE_CHARS // 3_004
    assert found.limited
