"""What a host's answer means for a recipient."""

import pytest

from mailsacd.core.outcome import Outcome


def outcome(code: int | None, status: str, text: str = "") -> Outcome:
    return Outcome(code=code, status=status, text=text, host="mx.example")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (250, "2.1.5", "delivered"),
        (250, "", "delivered"),
        (451, "4.7.1", "temporary"),
        (450, "", "temporary"),
        (550, "", "permanent"),
        (550, "5.7.1", "permanent"),
        (550, "4.7.1", "temporary"),  # by its enhanced code
        (450, "5.1.1", "permanent"),
        (550, "2.0.0", "permanent"),  # nonsense: never taken for a delivery
        (450, "2.0.0", "temporary"),
        (550, "5.1", "permanent"),
        (None, "4.4.1", "temporary"),
        (None, "5.1.10", "permanent"),
        (None, "", "temporary"),
    ],
)
def test_it_is_delivered_temporary_or_permanent(code: int | None, status: str, kind: str) -> None:
    assert outcome(code, status).kind == kind


@pytest.mark.parametrize(
    ("code", "status", "nobody"),
    [
        (550, "5.1.1", True),
        (None, "5.1.10", True),
        (550, "5.2.1", True),
        (550, "5.7.1", False),  # policy: about the message, or about us
        (552, "5.2.2", False),  # a full mailbox may have room next week
        (552, "5.3.4", False),
        (554, "5.0.0", False),
        (550, "5.1.8", False),  # the sender's address
        (450, "4.1.1", False),
    ],
)
def test_only_what_is_wrong_with_the_address_tells_of_it(
    code: int | None, status: str, *, nobody: bool
) -> None:
    assert outcome(code, status).is_nobody_there is nobody


@pytest.mark.parametrize(
    ("code", "text", "wait_s"),
    [
        (450, "Greylisted, see http://postgrey.example/help", 0),
        (450, "Recipient address rejected: Greylisted for 300 seconds", 300),
        (451, "graylisting in action, try again in 5 minutes", 300),
        (451, "Grey-listed: 60s", 60),
        (450, "Mailbox busy, try in 300 seconds", None),
        (550, "Greylisted", None),
    ],
)
def test_a_host_that_greylists_is_asked_again_when_it_says(
    code: int, text: str, wait_s: float | None
) -> None:
    assert outcome(code, "", text).asks_to_wait_s == wait_s
