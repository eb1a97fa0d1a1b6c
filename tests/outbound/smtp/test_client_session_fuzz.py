"""Whatever a server says: each recipient has exactly one outcome, and the session ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.outbound.smtp.opening import ClientRules, TlsUse
from mailsacd.outbound.smtp.session import Session
from tests.outbound.smtp.play import Play, transmission

ADDRESSES = ["a@d.example", "b@d.example", "ä@d.example", "bad\r\n@d.example", "c@d.example"]

GREETING = b"220 x\r\n"
OFFERS = [
    b"250 ok\r\n",
    b"250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 100\r\n250 DSN\r\n",
    b"250-mx\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n",
    b"250-mx\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n",
]
LINES = [
    b"250 2.1.5 ok\r\n", b"354 go on\r\n", b"221 bye\r\n", b"235 in\r\n", b"334 VXNl\r\n",
    b"450 later\r\n", b"451 4.5.3 many\r\n", b"452 4.5.3 many\r\n", b"550 5.1.1 no\r\n",
    b"552 no\r\n", b"421 bye\r\n", b"250-ok\r\n", b"\r\n", b"x", b"999 x\r\n", b"25", b"\n",
    b"\x16\x03\x01",
]  # fmt: skip
BEGINNINGS = [[], *([GREETING, offer] for offer in OFFERS)]
GOOD = st.sampled_from([b"250 ok\r\n", b"354 go on\r\n", b"220 go on\r\n"])
ANY = st.sampled_from([GREETING, *OFFERS, *LINES])
SAID = st.builds(
    lambda beginning, rest: [*beginning, *rest],
    st.sampled_from(BEGINNINGS),
    st.lists(GOOD | ANY, max_size=30),
)
RULES = st.builds(
    ClientRules,
    hostname=st.just("me.example"),
    host=st.just("mx.example"),
    tls=st.just(TlsUse.OFFERED) | st.sampled_from(TlsUse),
    user=st.just("") | st.just("me"),
    plain_login=st.booleans(),
)
SENT = st.lists(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=4), max_size=3)


@settings(max_examples=500)
@given(SAID, RULES, SENT, st.booleans())
def test_whatever_is_said(
    said: list[bytes], rules: ClientRules, sent: list[list[str]], cut: bool
) -> None:
    transmissions = [transmission(*addresses) for addresses in sent]
    play = Play(Session(rules), list(transmissions))
    play.run()
    for data in said:
        if play.begins_tls:
            play.begins_tls = False
            play.session.tls_begun()
        for piece in [bytes([b]) for b in data] if cut else [data]:
            play.session.receive(piece)
            play.run()
    if not play.over:
        play.session.lost("Lost")
        play.run()
    assert play.over
    assert play.session.is_over
    begun = len(transmissions) - len(play.transmissions)
    assert len(play.outcomes) == begun
    assert [len(each) for each in play.outcomes] == [len(a) for a in sent[:begun]]
    assert play.opened == (play.failed is None)
    assert begun == 0 or play.opened


@given(st.lists(st.binary(max_size=50)))
def test_whatever_bytes_come(pieces: list[bytes]) -> None:
    play = Play(Session(ClientRules(hostname="me.example", host="mx.example")), [transmission()])
    play.run()
    for piece in pieces:
        play.session.receive(piece)
        play.run()
    play.session.lost("Lost")
    play.run()
    assert play.over
