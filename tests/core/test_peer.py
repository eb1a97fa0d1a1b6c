"""What counts as one peer."""

import pytest

from mailsacd.core.peer import network_of


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
