"""Who may do what: each kind of actor is asked each question."""

from collections.abc import Callable

import pytest

from mailsacd.core.actor import (
    ANYONE,
    Actor,
    account_of,
    by_command,
    managed_account,
    operators_account,
    own_account,
    unlimited_account,
)
from mailsacd.core.errors import ForbiddenError, UnauthenticatedError

TEAM = Actor(account="ann", login="tim", team=True)
ELEVATED = Actor(account="ann", login="tim", team=True, elevated=True)
OWN = Actor(account="ann", login="ann")
OPERATOR = Actor(account="ann", login="ann", is_operator=True)
KEY = Actor(account="ann", key_name="ci")
EVERYBODY = (TEAM, ELEVATED, OWN, OPERATOR, KEY, by_command("ann"))


@pytest.mark.parametrize(
    ("question", "who"),
    [
        (account_of, EVERYBODY),
        (unlimited_account, (ELEVATED, OWN, OPERATOR, KEY, by_command("ann"))),
        (managed_account, (ELEVATED, OWN, OPERATOR, by_command("ann"))),
        (own_account, (OWN, OPERATOR, by_command("ann"))),
        (operators_account, (OPERATOR,)),
    ],
)
def test_who_may(question: Callable[[Actor], str], who: tuple[Actor, ...]) -> None:
    with pytest.raises(UnauthenticatedError):
        question(ANYONE)
    for actor in EVERYBODY:
        if actor in who:
            assert question(actor) == "ann"
        else:
            with pytest.raises(ForbiddenError):
                question(actor)
