"""What a person at the terminal is told when the daemon is ready."""

from mailsacd import __version__
from mailsacd.announcement import banner
from mailsacd.settings import HttpSettings, Pop3Settings, Settings

PLAIN = {"smtp": 1025, "capture": 1587, "submission": 1588, "pop3": 1110, "http": 8025}
TWINS = {
    "smtp_tls": 465,
    "capture_tls": 588,
    "submission_tls": 466,
    "pop3_tls": 995,
    "http_tls": 443,
}


def test_the_banner_is_a_table() -> None:
    key = "k_" + "a" * 32
    assert banner(Settings(), PLAIN, "/var/lib/mailsacd", key) == (
        f"""
  mailsacd {__version__} is ready: mail to any address is taken.

    SMTP        127.0.0.1:1025
    Capture     127.0.0.1:1587                      with a user name and a key
    Submission  127.0.0.1:1588                      with a user name and a key
    POP3        127.0.0.1:1110
    Web         http://127.0.0.1:8025/
    API         http://127.0.0.1:8025/api
    Docs        http://127.0.0.1:8025/docs
    WebSocket   http://127.0.0.1:8025/websocket-test
    Data        /var/lib/mailsacd
    Keeps       the newest 6 of a public inbox, 4 days; the newest 100,000 of an account
    Key         {key}  of the account admin, kept in admin.key

  Try:  curl http://127.0.0.1:8025/api/addresses/you@example.com/messages

"""
    )


def test_twins_are_told_with_the_hosts_of_the_settings() -> None:
    settings = Settings(http=HttpSettings(host="::1"), pop3=Pop3Settings(host="192.0.2.1"))
    lines = banner(settings, {**PLAIN, **TWINS}, "/d", None).splitlines()
    told = [line.split(maxsplit=1) for line in lines if line.startswith("    ")]
    assert [[name, place.split("  ")[0]] for name, place in told] == [
        ["SMTP", "127.0.0.1:1025"],
        ["SMTP", "127.0.0.1:465"],
        ["Capture", "127.0.0.1:1587"],
        ["Capture", "127.0.0.1:588"],
        ["Submission", "127.0.0.1:1588"],
        ["Submission", "127.0.0.1:466"],
        ["POP3", "192.0.2.1:1110"],
        ["POP3", "192.0.2.1:995"],
        ["Web", "http://[::1]:8025/"],
        ["Web", "https://[::1]:443/"],
        ["API", "http://[::1]:8025/api"],
        ["API", "https://[::1]:443/api"],
        ["Docs", "http://[::1]:8025/docs"],
        ["Docs", "https://[::1]:443/docs"],
        ["WebSocket", "http://[::1]:8025/websocket-test"],
        ["WebSocket", "https://[::1]:443/websocket-test"],
        ["Data", "/d"],
        ["Keeps", "the newest 6 of a public inbox, 4 days; the newest 100,000 of an account"],
    ]
    assert sum("TLS from the first byte" in line for line in lines) == 4


def test_where_people_find_the_server_comes_first() -> None:
    settings = Settings(http=HttpSettings(public_url="https://team.example/mail/"))
    lines = banner(settings, PLAIN, "/d", None).splitlines()
    told = [line.split() for line in lines if line.startswith("    ")]
    assert [place for name, place, *_ in told if name in {"Web", "API", "Docs", "WebSocket"}] == [
        "https://team.example/mail/",
        "http://127.0.0.1:8025/",
        "https://team.example/mail/api",
        "http://127.0.0.1:8025/api",
        "https://team.example/mail/docs",
        "http://127.0.0.1:8025/docs",
        "https://team.example/mail/websocket-test",
        "http://127.0.0.1:8025/websocket-test",
    ]
