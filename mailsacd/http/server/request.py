"""One request: its body within bounds, and the way its answer is written: whole, or as it comes."""

import re
import string
from collections.abc import Coroutine
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final, TypeVar
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import server

# Not through the module: Twisted has it look for deprecated names, which takes 3 µs an answer
from twisted.web.http import datetimeToString

from mailsacd.core.outflow import PIECE_BYTES
from mailsacd.http.server.answer import (
    ON_EVERY_ANSWER,
    ComesLater,
    Headers,
    Later,
    Problem,
    Response,
    Streamed,
)
from mailsacd.http.server.carrier import Carrier, Root
from mailsacd.http.server.sink import Sink

T = TypeVar("T")

_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# Twisted's own table ends before 429
_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
FOR_ANY_PAGE: Final = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: Retry-After, ETag, RateLimit, RateLimit-Policy, X-Request-Id"
)
"""Pages of other sites may read what reading calls answer, and these of its header fields."""

_SLASHES: Final = re.compile(rb"/{2,}")
READS: Final = frozenset({b"GET", b"HEAD"})  # what any page may do, from wherever it came


class Request(server.Request):
    """A request whose body is bounded, and refused as soon as it is known to be too large."""

    channel: Carrier  # type: ignore[assignment]  # what we use of it is more than Twisted's
    content: BytesIO  # bounded by handleContentChunk, so never on disk
    body_bytes = 0
    max_body_bytes = 0
    call = ""  # the operation that it is for, once that is known
    began_s = 0.0
    id = ""  # in the answer and in the log
    actor: Any = None  # who asks, once that is known
    gone = False  # the client is, and takes no answer
    rates: Headers = ()  # of the answer: how fast the caller may call
    _refused = False
    _sink: Sink | None = None
    _work: Deferred[Any] | ComesLater | None = None

    def head_came(self, method: bytes, target: bytes, length: int | None) -> None:
        """Called after the header; ``length`` is None for a chunked body, 0 where there is none."""
        if length == 0:
            return
        root: Root = self.channel.site.resource
        path = target.partition(b"?")[0]
        of_call = root.max_body_bytes(method, self._segments(path))
        self.max_body_bytes = min(of_call, self.channel.bounds.max_body_bytes)

    def gotLength(self, length: int | None) -> None:
        """Called by Twisted after `head_came`, with the same length of the body."""
        self.content = BytesIO()
        if not self._refused and length is not None and length > self.max_body_bytes:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Called by Twisted with each piece of the body: keep it, within bounds."""
        self.body_bytes += len(data)
        if self._refused:
            return
        if self.body_bytes > self.max_body_bytes:
            self._refuse()
            return
        self.content.write(data)
        self.channel.body_came(len(data), self.body_bytes)

    def parseCookies(self) -> None:  # noqa: N802  Twisted's
        """Called by Twisted. Of several cookies with one name the first counts.

        It is of the longest path (RFC 6265 section 5.4), and so ours below a prefix, where an older
        one of the whole host may come along. Twisted would take the last.
        """
        for line in self.requestHeaders.getRawHeaders(b"Cookie") or ():
            for cookie in line.split(b";"):
                name, equals, value = cookie.partition(b"=")
                if equals:
                    self.received_cookies.setdefault(name.strip(), value)

    def process(self) -> None:
        """Called by Twisted when the request is whole: have the site's resource answer it.

        The segments of the path stay encoded. Twisted decodes them, and Klein would split them
        again at a slash that was ``%2F``.
        """
        notes = self.channel.bounds.notes
        self.began_s = notes.seconds()
        self.id = notes.id_for(self)
        self.site = self.channel.site
        self.prepath = []
        self.postpath = self._segments(self.path)
        try:
            self.render(self.site.resource)
        except Exception:  # noqa: BLE001  the end of the line
            self.processingFailed(Failure())

    @property
    def is_endless(self) -> bool:
        """Whether an answer is being written whose end is not known."""
        return self._sink is not None

    def while_wanted(self, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Begin ``work``, and cancel it when the client goes away before it is done.

        The Deferred has its result, or CancelledError.
        """
        self._work = under_way = Deferred.fromCoroutine(work)
        if self.gone:
            under_way.cancel()
        return under_way

    def answer(self, response: Response | Streamed | Later) -> None:
        """Write ``response``, unless nobody is there any more: whole, as it comes, or later."""
        if isinstance(response, Streamed):
            self._stream(response)
        elif isinstance(response, Later):
            self._work = response.source
            if self.gone:
                response.source.cancel()
            else:
                response.source.begin(self.answer)
        elif not self.gone:
            self._write_whole(self._explained(response))

    def _explained(self, response: Response) -> Response:
        """An error as the site explains it to whoever asks."""
        explain = self.channel.site.explain
        if explain is None or not isinstance(response, Problem):
            return response
        explained: Response = explain(self, response)
        return explained

    def note(self, status: int, size: int = 0) -> None:
        """Take note that the request is answered, by ``size`` bytes, or that its answer begins."""
        self.channel.bounds.notes.answered(self, status, size)

    def _stream(self, response: Streamed) -> None:
        if self.gone:
            response.source.ended()
            return
        self.note(HTTPStatus.OK)
        put = self.responseHeaders.setRawHeaders
        put(b"Date", [datetimeToString()])
        put(b"Content-Type", [response.content_type])
        put(b"Cache-Control", [b"no-store"])
        put(b"X-Request-Id", [self.id.encode()])
        if self.channel.site.is_for_any_page:
            put(b"Access-Control-Allow-Origin", [b"*"])
        for name, value in (*self.rates, *response.headers):
            put(name, [value])
        if self.method == b"HEAD":
            response.source.ended()
            self.finish()
        else:
            self._sink = Sink(self, response.source)
            self.channel.settle()
            self._sink.begin()

    def _write_whole(self, response: Response) -> None:
        """In one piece, without Twisted's tables of headers: a tenth of what an answer costs."""
        status = response.status
        self.code = status
        self.note(status, len(response.body))
        lines = [
            b"%b %d %b" % (self.clientproto, status, _PHRASES.get(status, b"")),
            ON_EVERY_ANSWER,
            b"Date: " + datetimeToString(),
            b"X-Request-Id: " + self.id.encode(),
        ]
        if status not in _WITHOUT_BODY:
            lines += (
                b"Content-Type: " + response.content_type,
                b"Content-Length: %d" % len(response.body),
            )
        lines.append(b"Cache-Control: " + response.cache_control)
        if self.method in READS and self.channel.site.is_for_any_page:
            lines.append(FOR_ANY_PAGE)
        for name, value in (*self.rates, *response.headers):
            lines.append(b"%b: %b" % (name, b" ".join(value.splitlines())))
        if not self.channel.persistent:
            lines.append(b"Connection: close")
        body = b"" if self.method == b"HEAD" else response.body
        self.startedWriting = 1
        if len(body) <= PIECE_BYTES:
            self.channel.send(b"\r\n".join((*lines, b"", body)))
        else:
            self.channel.send_large(b"\r\n".join((*lines, b"", b"")), body)
        self.finish()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Called by Twisted when the request is whole, also one that was refused."""
        if self._refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def connectionLost(self, reason: Failure) -> None:
        """Called by Twisted when the client goes before it is answered: give up what can be."""
        self.gone = True
        if self._work is not None:
            self._work.cancel()
        if self._sink is not None:
            self._sink.gone()
        super().connectionLost(reason)

    def drop(self) -> None:
        """Answer nothing and drop the body: the channel has refused the request."""
        self._refused = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")  # the body is not wanted

    def _segments(self, path: bytes) -> list[bytes]:
        """Those of an operation's path. A proxy may have left the prefix before them or not."""
        segments = encoded_segments(path)
        prefix = self.channel.bounds.proxies.prefix(self)
        if prefix:
            before = prefix[1:].encode("ascii").split(b"/")
            if segments[: len(before)] == before:
                return segments[len(before) :] or [b""]
        return segments

    def _refuse(self) -> None:
        self.drop()
        self.channel.refuse_body(self.max_body_bytes)


def encoded_segments(path: bytes) -> list[bytes]:
    """The segments of a request's path as they came, in ASCII; several slashes in a row are one.

    Clients whose base URL ends in a slash ask for ``/api//addresses``. A slash that is encoded
    (``%2F``) is a part of its segment, and stays.

    ``path`` may be in the absolute form (RFC 9112 section 3.2.2), of which only the path counts.
    """
    if not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    if not path.isascii():  # what should have been encoded, and now is
        path = quote(path, safe=string.punctuation).encode("ascii")
    if b"//" in path:
        path = _SLASHES.sub(b"/", path)
    return path[1:].split(b"/")
