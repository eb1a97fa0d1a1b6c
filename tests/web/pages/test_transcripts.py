"""The pages of what was said by SMTP."""

from html import unescape

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter
from tests.web.pages.test_message import path_of


def test_what_was_said_is_shown_where_it_is_kept(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello", "as text").as_string())
    path = path_of(client, inbox)
    assert "What was said" not in client.get(path).text
    assert "Nothing of it was kept" in client.get(f"{path}/transcript").text
    settings = client.get(f"/addresses/{inbox}").text
    assert "refused" not in settings
    client.post(f"/addresses/{inbox}/settings", {"transcript": "true"})
    assert f"/addresses/{inbox}/refused" in client.get(f"/addresses/{inbox}").text
    assert "is kept" in client.get(f"/addresses/{inbox}/refused").text
    pages_daemon.send(inbox, letter("<b>again</b>", "as text").as_string())
    path = path_of(client, inbox)
    assert f'href="{path}/transcript"' in client.get(path).text
    page = unescape(client.get(f"{path}/transcript").text)
    assert f"rcpt TO:<{inbox}>" in page
    assert "[the message, " in page
    assert "250-PIPELINING</code><br><code>250-SIZE" in page
    client.get("/addresses/somebody@else.example/refused", 403)
