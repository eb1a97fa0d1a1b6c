"""How the answer of a reading call goes over the wire: with a tag, not twice, and compressed.

A tag is weak: it is that of the content, however it is encoded (RFC 9110 section 8.8.3).
"""

import gzip
import re
from functools import partial
from typing import Final
from zlib import crc32

import zstandard

from mailsacd.core.errors import UnavailableError
from mailsacd.http.server.answer import NOT_MODIFIED, Response
from mailsacd.http.server.request import Request
from mailsacd.work.threads import LARGE_BYTES, Lane

_COMPRESSIBLE: Final = (b"application/json", b"text/")
_VARY: Final = (b"Vary", b"Accept-Encoding")
_GZIP_LEVEL: Final = 5  # a MB in some 20 ms
_ZSTD_LEVEL: Final = 3  # with a window of 2 MB: browsers take 8 (RFC 9659)
_BARELY: Final = 0.000_1  # less than any weight that can be written: what is not named

_TAG: Final = re.compile(rb'(?:W/)?("[^"]*")')
_CODING: Final = re.compile(rb"\s*([\w.*+-]+)\s*(?:;\s*[qQ]=\s*([01](?:\.\d{0,3})?)\s*)?\Z")


def is_large(response: Response) -> bool:
    """Whether ``response`` is for `represented`, and not for `tagged`."""
    return len(response.body) > LARGE_BYTES


def tagged(response: Response, request: Request) -> Response:
    """``response``, a small whole 200, with a tag; or 304 where its client has it already."""
    return _tagged(response, request.getHeader(b"If-None-Match"), None)


async def represented(
    response: Response, request: Request, lane: Lane, *, may_compress: bool
) -> Response:
    """The same of a large one, worked on in ``lane``.

    It is compressed by gzip or zstd if ``may_compress`` and the client takes it.
    """
    wanted = request.getHeader(b"If-None-Match")
    size = len(response.body)
    compressible = may_compress and response.content_type.startswith(_COMPRESSIBLE)
    if compressible:
        headers = (*response.headers, _VARY)
        response = Response(response.body, response.content_type, response.status, headers)
    coding = coding_of(request.getHeader(b"Accept-Encoding") or b"") if compressible else None
    try:
        return await lane.run(size, partial(_tagged, response, wanted, coding))
    except UnavailableError:  # too much waits: as it is, then
        return response


def coding_of(accepted: bytes) -> bytes | None:
    """The best of ``zstd`` and ``gzip`` that an Accept-Encoding field takes; None for neither.

    What is worth no less to the client is compressed (RFC 9110 section 12.5.3).
    """
    weights: dict[bytes, float] = {}
    for item in accepted.split(b","):
        found = _CODING.match(item)
        if found:
            weights[found[1].lower()] = float(found[2] or b"1")
    if b"gzip" not in weights and b"x-gzip" in weights:
        weights[b"gzip"] = weights[b"x-gzip"]
    others = weights.get(b"*", 0.0)
    best, most = None, weights.get(b"identity", _BARELY)
    for coding in (b"zstd", b"gzip"):
        weight = weights.get(coding, others)
        if weight > 0 and (weight > most or (best is None and weight == most)):
            best, most = coding, weight
    return best


# This runs in a thread when the answer is large: it touches nothing but its arguments.


def _tagged(response: Response, wanted: bytes | None, coding: bytes | None) -> Response:
    # A digest would take 5 % of what a list costs
    tag = b'"%x-%x"' % (len(response.body), crc32(response.body))
    headers = (*response.headers, (b"ETag", b"W/" + tag))
    if wanted is not None and (wanted.strip() == b"*" or tag in _TAG.findall(wanted)):
        return Response(b"", response.content_type, NOT_MODIFIED, headers)
    body = response.body
    if coding is not None:
        body = _compressed(body, coding)
        headers = (*headers, (b"Content-Encoding", coding))
    return Response(body, response.content_type, response.status, headers)


def _compressed(body: bytes, coding: bytes) -> bytes:
    if coding == b"zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
