"""A stored message as JSON."""

import json

from mailsacd.core.message import Message

FACTS = '{"_id":"1-0","inbox":"a@b.example"'


def _message(**changed: object) -> Message:
    plain: dict[str, object] = {
        "inbox": "a@b.example", "id": "1-0", "facts": FACTS,
        "saved_by": None, "folder": "inbox", "labels": (), "read": None,
    }  # fmt: skip
    return Message(**(plain | changed))  # type: ignore[arg-type]


def test_what_nobody_touched_has_every_field() -> None:
    assert json.loads(_message().as_json()) == {
        "_id": "1-0", "inbox": "a@b.example",
        "savedBy": None, "folder": "inbox", "labels": [], "read": None,
    }  # fmt: skip


def test_what_people_did_to_it_is_shown() -> None:
    touched = _message(saved_by="jeff", folder="trash", labels=('q"', "ü"), read=False)
    assert json.loads(touched.as_json()) == {
        "_id": "1-0", "inbox": "a@b.example",
        "savedBy": "jeff", "folder": "trash", "labels": ['q"', "ü"], "read": False,
    }  # fmt: skip
