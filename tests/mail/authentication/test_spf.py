"""SPF: results by the record, and the bounds on what a record may have us ask."""

import pytest

from mailsacd.mail.authentication.spf import check_spf
from tests.mail.authentication.zone import FAILS, Zone

IP = "192.0.2.7"


def spf(zone: Zone, ip: str = IP, sender: str = "ann@example.com", helo: str = "mx.example") -> str:
    return zone.run(check_spf(ip, sender, helo)).result


def of(record: str, **more: object) -> Zone:
    return Zone(
        {"TXT example.com": [record], **{k.replace("_", " ", 1): v for k, v in more.items()}}
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1", "neutral"),
        ("v=spf1 ip6:2001:db8::/32 -all", "fail"),
        ("v=spf10 -all", "none"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "permerror"),
        ("v=spf1 ip4:192.0.2.1/08 -all", "permerror"),
        ("v=spf1 -all ipv4:192.0.2.1", "permerror"),
        ("v=spf1 a/99", "permerror"),
        ("v=spf1 include: -all", "permerror"),
        ("v=spf1 redirect=a.example redirect=b.example", "permerror"),
        ("v=spf1 exists:%{d0}.example.com", "permerror"),
        ("v=spf1 exists:%(d).example.com", "permerror"),
        ("v=spf1 moo=%{d} +all", "pass"),
        ("v=spf1 +all " + "x=" + "y" * 9_000, "permerror"),
    ],
)
def test_what_a_record_says(record: str, expected: str) -> None:
    assert spf(of(record)) == expected


def test_the_domain_is_that_of_helo_where_the_reverse_path_is_empty() -> None:
    found = Zone({"TXT mx.example": ["v=spf1 ip4:192.0.2.7 -all"]}).run(
        check_spf(IP, "", "mx.example")
    )
    assert (found.result, found.domain, found.identity) == ("pass", "mx.example", "helo")


@pytest.mark.parametrize("domain", ["[192.0.2.1]", "localhost", "a..example", ""])
def test_what_is_no_domain_is_not_asked_for(domain: str) -> None:
    zone = Zone({})
    assert zone.run(check_spf(IP, f"ann@{domain}", "x")).result == "none"
    assert zone.asked == []


def test_text_of_many_strings_is_one_record_and_two_records_are_an_error() -> None:
    # the resolver joins the strings without a space (RFC 7208 section 3.3)
    assert spf(of("v=spf1 ip4:192.0." + "2.0/24 -all")) == "pass"
    assert spf(Zone({"TXT example.com": ["v=spf1 +all", "v=spf1 -all"]})) == "permerror"
    assert spf(Zone({"TXT example.com": ["v=spf1 +all", "google-site=1"]})) == "pass"


def test_a_dns_that_fails_is_a_temporary_error() -> None:
    assert spf(Zone({"TXT example.com": FAILS})) == "temperror"
    assert spf(of("v=spf1 a:h.example -all", **{"A_h.example": FAILS})) == "temperror"


def test_mapped_addresses_are_those_of_ipv4() -> None:
    assert spf(of("v=spf1 ip4:192.0.2.7 -all"), ip="::ffff:192.0.2.7") == "pass"


def test_included_and_redirected_records() -> None:
    zone = of("v=spf1 include:b.example -all", **{"TXT_b.example": ["v=spf1 ip4:192.0.2.7 -all"]})
    assert spf(zone) == "pass"
    assert spf(zone, ip="192.0.2.8") == "fail"
    assert spf(of("v=spf1 include:none.example -all")) == "permerror"
    assert spf(of("v=spf1 redirect=none.example")) == "permerror"


def test_an_include_loop_ends_as_an_error_after_ten_lookups() -> None:
    zone = of("v=spf1 include:example.com -all")
    assert spf(zone) == "permerror"
    assert len(zone.asked) == 11
    other = of("v=spf1 redirect=b.example", **{"TXT_b.example": ["v=spf1 redirect=example.com"]})
    assert spf(other) == "permerror"
    assert len(other.asked) == 11


def test_ten_terms_may_ask_the_dns_and_eleven_may_not() -> None:
    records = {f"A_h{i}.example": ["198.51.100.1"] for i in range(11)}
    terms = [f"a:h{i}.example" for i in range(11)]
    assert spf(of(f"v=spf1 {' '.join(terms[:10])} -all", **records)) == "fail"
    assert spf(of(f"v=spf1 {' '.join(terms)} -all", **records)) == "permerror"


def test_two_lookups_may_find_nothing_and_three_may_not() -> None:
    assert spf(of("v=spf1 a:x.example a:y.example ip4:192.0.2.7 -all")) == "pass"
    zone = of("v=spf1 a:x.example a:y.example a:z.example ip4:192.0.2.7 -all")
    assert spf(zone) == "permerror"


def test_a_null_mx_matches_nobody_and_asks_nothing() -> None:
    zone = of("v=spf1 mx -all", **{"MX_example.com": [""]})
    assert spf(zone) == "fail"
    assert zone.asked == ["TXT example.com", "MX example.com"]


def test_a_host_of_an_mx_matches_and_eleven_hosts_are_an_error() -> None:
    hosts = [f"m{i}.example" for i in range(11)]
    addresses = {f"A_{host}": ["198.51.100.1"] for host in hosts[1:]} | {f"A_{hosts[0]}": [IP]}
    few = {"MX_example.com": hosts[:10], **addresses}
    assert spf(of("v=spf1 mx -all", **few)) == "pass"
    assert spf(of("v=spf1 mx -all", **{**few, "MX_example.com": hosts})) == "permerror"


def test_names_of_the_peer_count_where_they_lead_back() -> None:
    back = {f"PTR_{IP}": ["evil.example", "h.example.com"], "A_h.example.com": [IP]}
    assert spf(of("v=spf1 ptr -all", **back)) == "pass"
    assert spf(of("v=spf1 ptr -all", **{**back, "A_h.example.com": ["198.51.100.1"]})) == "fail"


@pytest.mark.parametrize(
    ("macro", "name"),
    [
        ("%{ir}.%{v}.%{d2}", "7.2.0.192.in-addr.example.com"),
        ("%{l}.%{o}", "ann.example.com"),
        ("%{s}", "ann@example.com"),
        ("%{h}.x%%%_%-.a", "mx.example.x% %20.a"),
        ("%{d1r}.example", "example.example"),
        ("%{p}.example", "unknown.example"),
    ],
)
def test_macros(macro: str, name: str) -> None:
    zone = of(f"v=spf1 exists:{macro} -all")
    spf(zone)
    assert zone.asked[1:] == [f"A {name}"]


def test_a_macro_bomb_asks_for_one_name_of_bounded_length() -> None:
    zone = of("v=spf1 exists:" + "%{s}.%{s}." * 800 + "example.com -all")
    assert spf(zone, sender="l" * 60 + "@example.com") == "fail"
    assert len(zone.asked) == 2
    assert len(zone.asked[1]) <= 255
