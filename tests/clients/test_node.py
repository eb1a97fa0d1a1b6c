"""Programs for Node: Mailsac's own client and an older one, Nodemailer, and WebSockets by `ws`."""

import json

import requests

from tests.clients.program import NODE, OFFERING, WITHOUT_DNS, environment, key_of, run
from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon

ADDRESS = "me@node.example"
ROUNDS = 4  # by each of three ways


def test_every_method_of_mailsac_s_client(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*WITHOUT_DNS).start()
    told(daemon.data_dir, "domain", "add", "admin", "mine.example", "--vouched")
    told(daemon.data_dir, "deny", "add", "spam.example")
    printed = run([NODE, "mailsac-api.js"], environment(daemon, DOMAIN="mine.example"))
    assert printed.endswith(" methods\n")
    daemon.stop()


def test_every_method_of_a_client_of_2018(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*WITHOUT_DNS).start()
    told(daemon.data_dir, "deny", "add", "spam.example")
    assert run([NODE, "mailsac.js"], environment(daemon)).endswith(" methods\n")
    daemon.stop()


def test_nodemailer_sends_in_all_of_its_ways(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "smtp.tls_port=0").start()
    same = [
        f"tls.certificate={daemon.data_dir}/tls.crt",
        f"tls.private_key={daemon.data_dir}/tls.key",
    ]
    options = [option for one in same for option in ("--set", one)]
    offering = make_daemon(*OFFERING, *options, name="offering").start()
    for one in (daemon, offering):  # a public inbox would keep six
        told(one.data_dir, "address", "add", "admin", ADDRESS)
    variables = environment(
        daemon,
        TO=ADDRESS,
        OFFERED_PORT=str(offering.ready.ports["smtp"]),
        TLS_PORT=str(daemon.ready.ports["smtp_tls"]),
    )
    ways = run([NODE, "nodemailer.js"], variables).splitlines()
    found = [
        (message["subject"], message["rtls"])
        for one in (daemon, offering)
        for message in one.json(f"/api/addresses/{ADDRESS}/messages?_mailsacKey={key_of(one)}")
    ]
    assert sorted(found) == sorted((way, "TLS" in way) for way in ways * 3)
    daemon.stop()
    offering.stop()


def test_nodemailer_meets_faults(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OFFERING).start()
    told(daemon.data_dir, "domain", "add", "admin", "lab.example", "--vouched")
    requests.put(
        f"http://127.0.0.1:{daemon.ready.ports['http']}/api/domains/lab.example/faults",
        headers={"Mailsac-Key": key_of(daemon)},
        json={"byAddress": True},
        timeout=30,
    ).raise_for_status()
    printed = run([NODE, "faults.js"], environment(daemon, DOMAIN="lab.example"))
    assert printed.splitlines() == [
        "rcpt-550-5.1.1 EENVELOPE 550 RCPT TO",
        "data-451 EENVELOPE 451 DATA",
        "end-554-5.6.0 EMESSAGE 554 DATA",
        "rcpt-421 ECONNECTION 421 CONN",
        "drop-end ESOCKET - CONN",
        "drip-200ms-end 250",
        "greylist-1 EENVELOPE 450 RCPT TO",
        "greylist-1 250",
        "tls-fail.lab.example ESOCKET - CONN",
    ]
    daemon.stop()


def test_nodemailer_submits_with_all_that_it_asks_to_be_told(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*WITHOUT_DNS, "--set", "submission.starttls=offer").start()
    told(daemon.data_dir, "address", "add", "admin", ADDRESS)
    variables = environment(daemon, FROM=ADDRESS, TO="bob@elsewhere.example")
    assert run([NODE, "submit.js"], variables) == "submitted\n"
    (sent,) = daemon.json(f"/api/outgoing-messages?_mailsacKey={key_of(daemon)}")
    assert (sent["subject"], sent["origin"]) == ("Jörg", "submission")
    assert [one["address"] for one in sent["recipients"]] == [
        "bob@elsewhere.example",
        "hidden-bob@elsewhere.example",
    ]
    asked = daemon.rows(
        "select ret, envid, notify, orcpt from outgoing_message"
        " join outgoing_recipient r on r.message_id = id order by place"
    )
    asks = ("HDRS", "envelope+201", "FAILURE,DELAY", "rfc822;bob@elsewhere.example")
    assert asked == [asks, asks]
    daemon.stop()


def test_a_listener_that_is_attached_when_the_mail_is_sent_misses_none(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*OFFERING).start()
    told(daemon.data_dir, "address", "add", "admin", ADDRESS)
    told(daemon.data_dir, "address", "set", "admin", ADDRESS, "--enablews")
    variables = environment(daemon, TO=ADDRESS, ROUNDS=str(ROUNDS))
    missed = json.loads(run([NODE, "attached-after.js"], variables))
    assert missed == {"plain": 0, "starttls": 0, "auth": 0}
    daemon.stop()


def test_programs_for_mailpit_and_mailhog_find_their_mail(make_daemon: MakeDaemon) -> None:
    ports = ("--set", "facades.mailpit_port=0", "--set", "facades.mailhog_port=0")
    daemon = make_daemon(*WITHOUT_DNS, *ports).start()
    assert run([NODE, "facades.mjs"], environment(daemon)) == "both are served\n"
    daemon.stop()
