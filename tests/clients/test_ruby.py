"""Ruby's `Net::SMTP`, which Rails and others send by."""

from tests.clients.program import OFFERING, environment, key_of, run
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

TO = "a@public.example"


def _send(daemon: RunningDaemon, port: str, subject: str, *secret: str) -> bool:
    """Whether the mail came by TLS."""
    number = str(daemon.ready.ports[port])
    run(["ruby", "send.rb", "localhost", number, TO, subject, *secret], environment(daemon))
    newest = daemon.json(f"/api/addresses/{TO}/messages")[0]
    assert newest["subject"] == subject
    return bool(newest["rtls"])


def test_it_sends_on_a_fresh_server(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    assert not _send(daemon, "smtp", "with no options")
    assert not _send(daemon, "capture", "logged in", key_of(daemon))
    daemon.stop()


def test_it_begins_tls_where_it_is_offered_and_the_certificate_is_trusted(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*OFFERING).start()
    assert _send(daemon, "smtp", "by TLS")
    daemon.stop()
