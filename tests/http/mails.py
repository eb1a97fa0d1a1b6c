"""Messages that the tests of the API read back."""

import base64

SIMPLE = b"From: Ann <ann@example.net>\r\nTo: bob@example.com\r\nSubject: hi\r\n\r\nhello\r\n"

PNG = b"\x89PNG\r\n\x1a\n not much of an image"
EVIL = b"<script>alert(document.domain)</script>"
PDF = b"%PDF-1.4 nor of a document"

HTML = (
    '<p onclick="steal()">Grüße <script>alert(1)</script>'
    '<a href="https://example.org/b">here</a> <img src="cid:logo@x">'
    '<img src="https://example.org/pixel.gif"></p>'
)


def _part(*headers: str, content: bytes) -> bytes:
    head = "".join(f"{line}\r\n" for line in (*headers, "Content-Transfer-Encoding: base64"))
    return head.encode() + b"\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n")


RICH = b"\r\n--b\r\n".join(
    (
        b"From: =?utf-8?q?Andr=C3=A9?= <andre@example.net>\r\nTo: Bob <bob@example.com>\r\n"
        b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nX-Twice: one\r\nX-Twice: two\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
        _part(
            "Content-Type: text/plain; charset=utf-8",
            content="Grüße, see https://example.org/a\n".encode(),
        ),
        _part("Content-Type: text/html; charset=utf-8", content=HTML.encode()),
        _part(
            "Content-Type: image/png; name=logo.png",
            "Content-ID: <logo@x>",
            "Content-Disposition: inline; filename=logo.png",
            content=PNG,
        ),
        _part(
            "Content-Type: text/html",
            'Content-Disposition: attachment; filename="../a/evil.html"',
            content=EVIL,
        ),
        _part(
            "Content-Type: application/pdf",
            "Content-Disposition: attachment; filename*=utf-8''M%C3%A4rz%E2%80%AEfdp.exe",
            content=PDF,
        ),
    )
)
RICH += b"\r\n--b--\r\n"
