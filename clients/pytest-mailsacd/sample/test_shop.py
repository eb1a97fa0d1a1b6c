"""Tests of the shop with what pytest-mailsacd gives."""

import os

import pytest

from mailsacd_client import WaitTimeoutError
from pytest_mailsacd import Inbox, MakeInbox, Server
from shop import Shop

BESIDE = int(os.environ.get("BESIDE", "20"))


@pytest.fixture
def shop(mailsacd: Server) -> Shop:
    return Shop(mailsacd.smtp_host, mailsacd.smtp_port)


def test_whoever_signs_up_gets_a_code(shop: Shop, inbox: Inbox) -> None:
    shop.sign_up(inbox.address, "482913")
    message = inbox.wait_for(subject_includes="code", timeout=20)
    found = inbox.client.codes(message)
    assert found.codes == ("482913",)
    assert found.links[0].url.startswith("https://shop.example/verify?token=")


def test_of_two_codes_each_is_given_once(shop: Shop, inbox: Inbox) -> None:
    shop.sign_up(inbox.address, "482913")
    assert inbox.wait_for_code(timeout=20) == "482913"
    shop.sign_up(inbox.address, "118234")
    assert inbox.wait_for_code(timeout=20) == "118234"
    shop.sign_up(inbox.address, "650012")
    assert inbox.wait_for_link(timeout=20).endswith("650012")
    with pytest.raises(WaitTimeoutError):
        inbox.wait_for(timeout=0)


def test_a_receipt_comes_after_the_code(shop: Shop, inbox: Inbox) -> None:
    shop.sign_up(inbox.address, "482913")
    code = inbox.wait_for(timeout=20)
    shop.pay(inbox.address, 7)
    receipt = inbox.wait_for(timeout=20)
    assert receipt.subject == "Your order 7"
    assert inbox.client.text(receipt) == "Thank you!\n"
    assert inbox.messages() == [receipt, code]


def test_two_customers_have_an_inbox_each(shop: Shop, make_inbox: MakeInbox) -> None:
    ann, bob = make_inbox("ann"), make_inbox("bob")
    for order in range(10):  # more than an inbox that everybody reads would keep
        shop.pay(ann.address, order)
    assert len(ann.wait_for_several(10, timeout=20)) == 10
    assert bob.messages() == []


def test_what_does_not_come_is_explained(shop: Shop, inbox: Inbox) -> None:
    shop.pay(inbox.address, 8)
    with pytest.raises(WaitTimeoutError, match="'Your order 8' failed subjectIncludes"):
        inbox.wait_for(subject_includes="refund", timeout=0)
    with pytest.raises(LookupError, match="No code is told by 'Your order 8'"):
        inbox.wait_for_code(timeout=0)
    shop.pay(inbox.address, 9)
    with pytest.raises(LookupError, match="Nothing is confirmed by the links of 'Your order 9'"):
        inbox.wait_for_link(timeout=0)


@pytest.mark.parametrize("number", range(BESIDE))
def test_nobody_is_robbed(shop: Shop, inbox: Inbox, number: int) -> None:
    shop.sign_up(inbox.address, f"{100_000 + number}")
    assert inbox.wait_for_code(timeout=20) == f"{100_000 + number}"
    (message,) = inbox.messages()
    assert message.subject == f"{100_000 + number} is your code"
