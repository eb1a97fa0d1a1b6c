"""What counts as one peer."""

import pytest

from mailsacd.core.peer import is_loopback, network_of, plain_ip


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("no address", "no address"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_a_host_counts_as_one_peer_whichever_of_its_addresses_it_uses(
    peer: str, network: str
) -> None:
    assert network_of(peer) == network


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_address_is_written_as_people_do(host: str, written: str) -> None:
    assert plain_ip(host) == written


@pytest.mark.parametrize(
    ("peer", "is_here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.1", False), ("::2", False)],
)
def test_this_machine_is_known_by_its_loopback(peer: str, is_here: bool) -> None:
    assert is_loopback(peer) is is_here
