"""ARC: chains that are whole, and all ways of being broken."""

import dkim as dkimpy
import pytest

from tests.mail.authentication.messages import arc
from tests.mail.authentication.signer import MESSAGE, record, rsa, seal
from tests.mail.authentication.zone import FAILS, Zone

KEY = "TXT arc._domainkey.relay.example"


def zone() -> Zone:
    return Zone({KEY: [record(rsa())]})


def chain(length: int, state: str = "") -> bytes:
    message = MESSAGE
    for instance in range(1, length + 1):
        message = seal(message, instance, state=state if instance == length else "")
    return message


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_whole_chain_passes(length: int) -> None:
    found = arc(chain(length), zone())
    assert (found.result, found.instances, found.domain) == ("pass", length, "relay.example")


def test_dkimpy_takes_what_the_tests_seal() -> None:
    verdict, _, _ = dkimpy.arc_verify(
        chain(3), dnsfunc=lambda *_, **__: record(rsa()).encode(), minkey=1024
    )
    assert verdict == b"pass"


def test_without_seals_there_is_no_chain() -> None:
    assert arc(MESSAGE, zone()).result == "none"


def test_a_chain_of_three_that_is_broken_in_the_middle_fails() -> None:
    whole = chain(3)
    assert (
        arc(
            whole.replace(b"i=2; relay.example; spf=pass", b"i=2; relay.example; spf=fail"), zone()
        ).result
        == "fail"
    )
    without = whole.replace(b"ARC-Seal: i=2", b"X-Seal: i=2")
    assert arc(without, zone()).result == "fail"
    twice = whole.replace(b"ARC-Seal: i=2", b"ARC-Seal: i=1")
    assert arc(twice, zone()).result == "fail"


def test_a_seal_that_is_wrong_below_seals_that_are_right_fails() -> None:
    first = seal(MESSAGE, 1, rsa(2048, 1))  # by a key that is not the published one
    found = arc(seal(seal(first, 2), 3), zone())
    assert (found.result, found.reason) == ("fail", "seal 1: the signature is not of this header")


def test_a_body_or_header_that_was_changed_after_the_last_seal_fails() -> None:
    assert arc(chain(2).replace(b"Hello Bob", b"Hello Eve"), zone()).result == "fail"
    assert arc(chain(2).replace(b"Subject: Hello", b"Subject: Bye"), zone()).result == "fail"


def test_what_hosts_say_of_the_chain_before_them_counts() -> None:
    assert arc(chain(2, state="fail"), zone()).reason == "the last host found the chain broken"
    assert arc(chain(2, state="none"), zone()).result == "fail"
    assert arc(chain(1, state="pass"), zone()).result == "fail"


def test_a_chain_of_eleven_is_not_looked_at() -> None:
    records = zone()
    found = arc(chain(11), records)
    assert (found.result, found.instances, records.asked) == ("fail", 11, [])


def test_keys_that_are_missing_or_not_answered_for() -> None:
    assert arc(chain(1), Zone({})).result == "fail"
    assert arc(chain(1), Zone({KEY: FAILS})).result == "temperror"


@pytest.mark.parametrize("name", [b"ARC-Seal", b"ARC-Message-Signature"])
def test_fields_that_are_no_lists_of_tags(name: bytes) -> None:
    broken = chain(1).replace(name + b": i=1", name + b": i=1; ; =x")
    assert arc(broken, zone()).result == "fail"
