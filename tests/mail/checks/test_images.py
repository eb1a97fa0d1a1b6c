"""Pictures: which of them track, which are not shown; and hostile pages."""

from base64 import urlsafe_b64encode
from hashlib import md5
from time import process_time

import pytest

from mailsacd.mail.checks.check import Result, Subject
from mailsacd.mail.checks.images import check_images
from mailsacd.mail.checks.open_pixels import has_identifier, service_of
from tests.mail.checks.subjects import subject

TEXT = "<p>Thank you for your order, which we will send to you within three days.</p>"
BOB = "bob@example.org"  # whom the message is to


def checked(html: str) -> Result:
    return check_images(subject(html=f"{TEXT}{html}"))


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ('<img src="https://t.example/a" width="1" height="1">', "a single pixel"),
        ('<img src="https://t.example/a" style="width:1px;height:1px">', "a single pixel"),
        ("<style>.p{width:0;height:0}</style><img class=p src='https://t.example/a'>", "single"),
        ('<img src="https://shop.us1.list-manage.com/track/open.php?u=1&id=2">', "Mailchimp"),
        ('<img src="https://u1.ct.sendgrid.net/wf/open?upn=x">', "SendGrid"),
        ('<img src="https://email.mg.example.com/o/eJw">', "Mailgun"),
        ('<img src="https://x.r.eu-west-1.awstrack.me/I0/01/x">', "Amazon SES"),
        ('<img src="https://shop.example/open.aspx?ffcb10">', "Salesforce"),
        ('<img src="https://shop.example/pixel.gif?m=17">', "like that of an open pixel"),
        (f'<img src="https://shop.example/logo.png?to={BOB}">', "recipient's address"),
        ('<img src="https://shop.example/logo.png?to=bob%40example.org">', "recipient's address"),
        (f'<img src="https://shop.example/{md5(BOB.encode()).hexdigest()}/a.png">', "recipient's"),
        (
            f'<img src="https://shop.example/?{urlsafe_b64encode(BOB.encode()).decode()}">',
            "recipient's",
        ),
        (
            '<img style="display:none" src="https://a.example/?id=8f3a91bc77de40215c9a">',
            "hidden picture",
        ),
        ('<td style="background:url(https://a.example/beacon.gif?m=1)">x', "like that of"),
        ("<style>p{background:url('https://a.example/track/open?m=1')}</style>", "like that of"),
    ],
)
def test_a_picture_that_tells_who_opened_the_message_is_found(html: str, why: str) -> None:
    result = checked(html)
    (tracker,) = result.data["trackers"]
    assert why in tracker["why"]
    assert result.score == 80
    assert "tells the sender who opened" in result.reasons[0].text


@pytest.mark.parametrize(
    ("html", "points"),
    [
        ("", None),
        ('<img src="https://cdn.example/logo.png" width="600" height="200">', 0),
        ('<img src="https://cdn.example/spacer.gif" width="1" height="1">', 0),
        ('<img src="https://cdn.example/3f9a8c7d6e5b4a39281706f5/logo.png">', 0),
        ('<img src="https://cdn.example/a?w=600&s=3f9a8c7d6e5b4a39281706f5">', 0),
        ('<img style="display:none" src="https://cdn.example/mobile.png">', 0),
        ('<img src="https://cdn.example/a?id=3f9a8c7d6e5b4a39281706f5">', 2),
        ('<img src="http://cdn.example/logo.png">', 3),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', 5),
        ('<img src="cid:nobody@example.com">', 10),
        ('<img src="logo.png">', 10),
        ('<img src="file:///C:/logo.png">', 10),
        ('<img src="">', 10),
        ('<input type="text" src="x">', None),
    ],
)
def test_other_pictures_do_not_track(html: str, points: int | None) -> None:
    result = checked(html)
    assert result.data["trackers"] == []
    assert result.score == 100 - (points or 0)
    assert bool(result.reasons) is (points is not None)


def test_an_attached_picture_is_found_by_its_id() -> None:
    message = (
        "Content-Type: multipart/related; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/html\r\n\r\n{TEXT}<img src='cid:L%401'>\r\n"
        "--b\r\nContent-Type: image/png\r\nContent-ID: <l@1>\r\n\r\nx\r\n--b--\r\n"
    )
    result = check_images(Subject(message.encode()))
    assert (result.score, result.data["attached"]) == (100, 1)


def test_a_message_of_nothing_but_pictures_is_empty_where_they_are_blocked() -> None:
    result = check_images(subject(html='<a href="x"><img src="https://cdn.example/all.png"></a>'))
    assert (result.score, "hardly any text" in result.reasons[0].text) == (85, True)


def test_the_figures_name_hosts_and_count_pictures() -> None:
    result = checked(
        '<img src="https://b.example/x.png"><img src="//a.example/y.png"><img src="data:,x">'
    )
    assert result.data == {
        "images": 3, "remote": 2, "attached": 0, "inline": 1, "inlineChars": 7,
        "hosts": ["a.example", "b.example"], "trackers": [],
    }  # fmt: skip


def test_a_message_without_html_has_no_score() -> None:
    assert check_images(subject()).score is None


@pytest.mark.parametrize(
    "url", ["https://[", "https://a/" + "é" * 9_000, "x", "", "https://example.com/openings.png"]
)
def test_any_url_is_looked_at_without_an_error(url: str) -> None:
    assert service_of(url) is None
    assert not has_identifier(url)


@pytest.mark.parametrize(
    "html",
    [
        f"x<img src='https://{'link.' * 400}'>" * 300,
        f"x<img src='https://a{'/lt.php?' * 400}'>" * 300,
        "x" + "<img src=https://a/?b>" * 9_000,
        f"x<img src='https://{'a/' * 400_000}'>",
        "<style>" + "a{background:url(//x)}" * 1_500 + "</style>x" + "<a>" * 4_000,
        f"x<img src='data:{'x' * 900_000}'>",
    ],
    ids=["hosts", "paths", "pictures", "segments", "styles", "data"],
)
def test_a_hostile_page_takes_little_time(html: str) -> None:
    page = subject(html=html)
    before = process_time()
    result = check_images(page)
    assert process_time() - before < 3.0
    assert len(result.reasons) < 20
