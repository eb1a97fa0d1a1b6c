"""Signatures are those of Standard Webhooks."""

import base64

from mailsacd.core.webhook_signature import new_secret, shown_secret, signature_headers


def test_the_example_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret]
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert shown_secret(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_several_keys_sign_side_by_side() -> None:
    keys = [new_secret(), new_secret()]
    both = signature_headers("x", 1, b"{}", keys)["webhook-signature"].split(" ")
    assert both == [signature_headers("x", 1, b"{}", [k])["webhook-signature"] for k in keys]
    assert both[0] != both[1]
