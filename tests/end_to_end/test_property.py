"""Addresses and domains from end to end: reserved, receiving, guarded, released."""

import json
from typing import Any

from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import RunningDaemon

MAIL = "From: shop@example.net\r\nSubject: Your order\r\n\r\nThank you.\r\n"


class Caller:
    """Somebody with a key, or nobody."""

    def __init__(self, daemon: RunningDaemon, key: str | None) -> None:
        self._daemon = daemon
        self._query = f"_mailsacKey={key}" if key else ""

    def call(self, method: str, path: str) -> tuple[int, Any]:
        joint = "&" if "?" in path else "?"
        status, _, body = self._daemon.request(f"/api{path}{joint}{self._query}", method)
        return status, json.loads(body) if body else None


def _callers(daemon: RunningDaemon) -> tuple[Caller, Caller, Caller]:
    keys = []
    for name in ("ann", "bob"):
        told(daemon.data_dir, "account", "add", name, "--email", f"{name}@owner.example")
        keys.append(told_json(daemon.data_dir, "key", "add", name)["key"])
    return Caller(daemon, keys[0]), Caller(daemon, keys[1]), Caller(daemon, None)


def test_an_address_from_reserving_to_releasing(shared_daemon: RunningDaemon) -> None:
    ann, bob, nobody = _callers(shared_daemon)
    address, messages = "/addresses/shop@example.com", "/addresses/shop@example.com/messages"
    shared_daemon.send("Shop@example.com", MAIL)
    assert len(nobody.call("GET", messages)[1]) == 1

    status, reserved = ann.call("POST", address)
    assert (status, reserved["owner"]) == (200, "ann")
    assert bob.call("POST", address)[0] == 401
    shared_daemon.send("shop+tag@example.com", MAIL)
    shared_daemon.send(reserved["encryptedInbox"], MAIL)
    status, mine = ann.call("GET", messages)
    assert [m["originalInbox"] for m in mine] == [
        reserved["encryptedInbox"],
        "shop+tag@example.com",
        "shop@example.com",
    ]
    assert bob.call("GET", messages)[0] == 403
    assert nobody.call("GET", messages)[0] == 401
    assert nobody.call("GET", f"/text/shop@example.com/{mine[0]['_id']}")[0] == 401

    assert ann.call("DELETE", address)[0] == 200
    shared_daemon.send("shop@example.com", MAIL)
    (public,) = nobody.call("GET", messages)[1]
    assert len(ann.call("GET", messages)[1]) == 4
    assert public["_id"] not in {m["_id"] for m in mine}

    assert ann.call("POST", address)[0] == 200
    assert ann.call("DELETE", f"{address}?deleteAddressMessages=true")[0] == 200
    assert ann.call("GET", messages) == (200, [])


def test_the_operator_looks_after_addresses_and_domains(shared_daemon: RunningDaemon) -> None:
    data_dir = shared_daemon.data_dir
    told(data_dir, "account", "add", "carl", "--email", "carl@owner.example")
    key = told_json(data_dir, "key", "add", "carl")["key"]
    carl, nobody = Caller(shared_daemon, key), Caller(shared_daemon, None)

    assert "lab.example: verified" in told(
        data_dir, "domain", "add", "carl", "lab.example", "--vouched"
    )
    domain = told_json(data_dir, "domain", "set", "carl", "lab.example", "--catch-all", "--default")
    assert (domain["verified"], domain["isDefault"], domain["hosted"]) == (True, True, True)
    shared_daemon.send("anything@lab.example", MAIL)
    (caught,) = carl.call("GET", "/addresses/*@lab.example/messages")[1]
    assert caught["originalInbox"] == "anything@lab.example"
    assert nobody.call("GET", "/addresses/anything@lab.example/messages")[0] == 401
    assert told_json(data_dir, "domain", "list", "carl")[0]["_id"] == "lab.example"

    made = told_json(data_dir, "address", "add", "carl", "one@lab.example", "two@lab.example")
    assert [a["_id"] for a in made] == ["one@lab.example", "two@lab.example"]
    set_up = told_json(
        data_dir, "address", "set", "carl", "one@lab.example",
        "--forward", "two@lab.example", "--info", "first", "--password", "for pop", "--enablews",
    )  # fmt: skip
    assert (set_up["forward"], set_up["enablews"]) == ("two@lab.example", True)
    assert carl.call("GET", "/addresses/one@lab.example")[1] == set_up
    assert "one@lab.example  two@lab.example" in told(data_dir, "address", "list", "carl")

    assert told(data_dir, "address", "remove", "carl", "one@lab.example")
    assert told(data_dir, "domain", "remove", "carl", "lab.example")
    assert nobody.call("GET", "/addresses/anything@lab.example/messages") == (200, [])
    for arguments, problem in (
        (("address", "add", "nobody", "x@lab.example"), "no account nobody"),
        (("address", "set", "carl", "two@lab.example", "--webhook", "x"), "not an http"),
        (("domain", "verify", "carl", "lab.example"), "no domain lab.example"),
    ):
        refused = run(data_dir, *arguments)
        assert refused.returncode == 1
        assert problem in refused.stderr
