"""The pages that a link to an inbox leads to."""

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter


def test_a_link_shows_the_inbox_to_whoever_has_it(
    client: Client, pages_daemon: RunningDaemon
) -> None:
    name = client.sign_up()
    inbox = client.reserve(f"shared@{name}.example")
    for number in range(3):
        pages_daemon.send(inbox, letter(f"Order {number} <b>", "as text").as_string())
    link = client.call("POST", f"/addresses/{inbox}/links", hours=2)
    path = link["url"].removeprefix(client.base)
    with Client(pages_daemon) as stranger:
        page = stranger.get(path).text
        assert page.count("Order ") == 3
        assert "&lt;b&gt;" in page
        assert name not in page.replace(inbox, "")
        (newest,) = client.call("GET", f"/addresses/{inbox}/messages?limit=1")
        message = stranger.get(f"{path}/{newest['_id']}").text
        assert "Order 2" in message
        assert f"/api/links/{link['token']}/messages/{newest['_id']}/body" in message
        assert "<form" not in message.partition("<main")[2].partition("</main")[0]
        stranger.get(f"/inbox/{inbox}", 401)
        assert client.session.delete(f"{client.base}/api/links", timeout=30).status_code == 204
        stranger.get(path, 404)
        stranger.get(f"{path}/{newest['_id']}", 404)
