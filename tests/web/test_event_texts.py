"""What is said of events."""

from mailsacd.core import activity
from mailsacd.core.activity import Event
from mailsacd.web.event_texts import KINDS, text_of

OF_THE_OPERATOR = {activity.STORAGE_FULL}
ID = "01m8mfn445000mcfwhxf3"


def test_each_kind_has_a_name() -> None:
    kinds = {
        value for name, value in vars(activity).items() if name.isupper() and isinstance(value, str)
    }
    assert set(KINDS) == kinds - OF_THE_OPERATOR


def test_a_message_is_led_to_and_its_id_not_told() -> None:
    event = Event(ID, "ann", activity.RECEIVED, 250, "a/b@x.example", f"{ID}-0", 1)
    text = text_of(event)
    assert (text.path, text.detail) == (f"/inbox/a%2Fb@x.example/{ID}-0", "")


def test_what_is_only_counted_leads_nowhere() -> None:
    text = text_of(Event(ID, "ann", activity.RECEIVED, 250, "*", "", 1_000))
    assert (text.path, text.subject) == ("", "Others of this hour")
