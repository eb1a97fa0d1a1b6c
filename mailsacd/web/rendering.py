"""Makes HTML of templates (Jinja2, which escapes what it is given), with what keeps it safe.

The library is loaded, and the templates are compiled, in a thread while the daemon already answers:
both take tenths of a second.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from mailsacd import __version__
from mailsacd.core.errors import UnavailableError
from mailsacd.http.server.answer import HTML, Headers, Response
from mailsacd.web import filters
from mailsacd.web.assets import path_of
from mailsacd.web.visit import Visit
from mailsacd.work.sharing import Sharing
from mailsacd.work.threads import Lane

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types mailsacd"
)
# A stricter policy of referrers would have browsers send `Origin: null` with our own forms
SAFE: Final[Headers] = (
    (b"Content-Security-Policy", _POLICY),
    (b"Referrer-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Permissions-Policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)


class Rendering:
    """``facts`` are what every template may tell of the server."""

    def __init__(self, lane: Lane, facts: Mapping[str, Any]) -> None:
        self._lane = lane
        self._facts = facts
        self._environment: Any = None  # the library's type is not there yet
        self._loading: Sharing[str, Any] = Sharing()

    @property
    def is_ready(self) -> bool:
        """Whether the templates are there."""
        return self._environment is not None

    async def ready(self) -> None:
        """Return when the templates are there. Raises OverloadedError and UnavailableError."""
        if self._environment is None:
            self._environment = await self._loading.get("templates", self._load)

    async def _load(self) -> Any:
        return await self._lane.run_in_thread(partial(_load, self._facts))

    def render(
        self, visit: Visit, template: str, values: Mapping[str, Any], status: int
    ) -> Response:
        """The page that ``template`` makes of ``values``. UnavailableError before `ready`."""
        if self._environment is None:
            raise UnavailableError("The pages are not ready yet, try again in a second")
        made = self._environment.get_template(template).render(
            {**values, "visit": visit, "url": visit.url, "asset": lambda n: visit.url(path_of(n))}
        )
        return Response(made.encode("utf-8", "replace"), HTML, status, SAFE)


def _load(facts: Mapping[str, Any]) -> Any:
    import jinja2  # noqa: PLC0415  takes 60 ms, and not while the daemon starts

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mailsacd.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.globals.update(facts, version=__version__)
    environment.filters.update(filters.ALL)
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)
    return environment
