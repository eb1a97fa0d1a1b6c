"""Domains that a setting names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.domain_names import DomainNames
from mailsacd.core.errors import ConfigurationError

LABELS = st.text("ab", min_size=1, max_size=2)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("entries", "hosting", "domain", "named"),
    [
        (["example.com"], "", "example.com", True),
        (["Example.COM."], "", "example.com", True),
        (["example.com"], "", "sub.example.com", False),
        (["*.Example.com"], "", "sub.example.com", True),
        (["*.example.com"], "", "deep.sub.example.com", True),
        (["*.example.com"], "", "example.com", False),
        (["*.example.com"], "", "notexample.com", False),
        (["bücher.example"], "", "xn--bcher-kva.example", True),
        (["[192.0.2.1]"], "", "[192.0.2.1]", True),
        (["*", "@registered"], "", "example.com", False),
        (["*", "@registered"], "", "", False),
        ([], "Host.example", "host.example", True),
        ([], "host.example", "team.host.example", True),
        ([], "host.example", "example", False),
    ],
)
def test_which_domains_are_named(
    entries: list[str], hosting: str, domain: str, *, named: bool
) -> None:
    assert (domain in DomainNames(entries, hosting)) is named


def test_those_named_exactly_are_told_in_normal_form_once_each_in_order() -> None:
    entries = ["*", "B.example", "*.c.example", "@registered", "a.example", "b.example"]
    assert DomainNames(entries).names == ("b.example", "a.example")
    assert DomainNames(entries, "host.example").names[-1] == "host.example"


@pytest.mark.parametrize("entry", ["no domain", "", "*.", "*.*.example", "@other", "a@b.example"])
def test_what_is_no_domain_is_named(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^message\.accepted_domains: "):
        DomainNames(["good.example", entry])


@given(st.lists(DOMAINS), st.lists(DOMAINS), DOMAINS)
def test_a_domain_is_named_by_itself_or_by_one_above_it(
    names: list[str], parents: list[str], domain: str
) -> None:
    named = DomainNames([*names, *(f"*.{parent}" for parent in parents)])
    below = any(domain.endswith(f".{parent}") for parent in parents)
    assert (domain in named) is (domain in names or below)
