"""One look at a page: who looks, where from, and what the page says back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Literal, get_args
from urllib.parse import quote, unquote, urlencode, urlsplit

from mailsacd.core.actor import Actor
from mailsacd.core.errors import MailsacdError, ThrottledError
from mailsacd.http.api.codec import Form
from mailsacd.http.api.operation import Call
from mailsacd.http.server.answer import Headers, Response
from mailsacd.web.form_token import FORM_COOKIE, is_token, new_secret, token_of
from mailsacd.web.refusals import refused

THEME_COOKIE: Final = b"mailsacd_theme"
NOTICE_COOKIE: Final = b"mailsacd_notice"
Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = get_args(Theme)

MAX_NOTICE_CHARACTERS: Final = 300
_YEAR_S: Final = 31_536_000
_NOT_FILLED_IN: Final = frozenset({"form_token", "back"})
_NOTICE_S: Final = 30
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*\Z")

Render = Callable[["Visit", str, Mapping[str, Any], int], Response]


@dataclass(slots=True, kw_only=True)
class Visit:
    """``call`` is what was asked; ``render`` makes HTML of a template by its name.

    ``was_got`` is whether the browser can ask for what it is shown again, by its URL.
    """

    call: Call
    page: str
    was_got: bool
    render: Render = field(repr=False)
    _cookies: list[bytes] = field(default_factory=list)
    _secret: str = ""

    def __getitem__(self, name: str) -> Any:
        """A parameter of the page, by its name."""
        return self.call[name]

    @property
    def actor(self) -> Actor:
        """Who it is that looks at the page."""
        return self.call.actor

    @property
    def prefix(self) -> str:
        """What the paths of the server's URLs begin with, as the browser sees them."""
        return self.call.prefix

    @property
    def theme(self) -> str:
        """The one that was chosen, or ``""``: as the system has it."""
        chosen = (self.call.cookie(THEME_COOKIE) or b"").decode("latin-1")
        return chosen if chosen in THEMES else ""

    @property
    def form_token(self) -> str:
        """What each form of the page has, and no page of another site can know."""
        return token_of(self._form_secret())

    def url(self, path: str, **query: Any) -> str:
        """The URL of ``path`` (encoded), with what of ``query`` is neither None nor empty."""
        given = {name: value for name, value in query.items() if value not in {None, ""}}
        return f"{self.prefix}{path}{'?' if given else ''}{urlencode(given)}"

    def is_form_of_ours(self) -> bool:
        """Whether the form that was sent is one that this browser had from us."""
        secret = self.call.session or self._cookie(FORM_COOKIE)
        return bool(secret) and is_token(str(self.call.fields.get("form_token", "")), secret)

    def fields(self) -> Mapping[str, Any]:
        """What the form that was sent has filled in: a Form, whose texts stand for all types."""
        given = self.call.fields
        if isinstance(given, Form):
            return given.without(_NOT_FILLED_IN)
        return {name: value for name, value in given.items() if name not in _NOT_FILLED_IN}

    def filled_in(self) -> Mapping[str, Any]:
        """As `fields`, without those that were left empty."""
        given = self.fields()
        if isinstance(given, Form):
            return given.filled_in()
        return {name: value for name, value in given.items() if value != ""}

    def all_of(self, name: str) -> list[str]:
        """All values of a field that a form may have several times."""
        if isinstance(self.call.fields, Form):
            return self.call.fields.all_of(name)
        given = self.call.fields.get(name, [])
        return [str(each) for each in given] if isinstance(given, list) else [str(given)]

    def back(self, otherwise: str) -> str:
        """The path that the form says to go back to, without the prefix; else ``otherwise``."""
        return local_path(str(self.call.fields.get("back", "")), self.prefix) or otherwise

    def came_from(self, otherwise: str) -> str:
        """The path of the page that the browser says it comes from, if that is one of ours."""
        url = urlsplit((self.call.header(b"Referer") or b"").decode("latin-1"))
        asked = f"?{url.query}" if url.query else ""
        return local_path(f"{url.path}{asked}", self.prefix) or otherwise

    def shown(self, template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
        """The page that ``template`` makes of ``values``."""
        return self._with_cookies(self.render(self, template, values, status))

    def form(
        self,
        template: str,
        error: MailsacdError | None = None,
        field: str = "",
        **values: Any,
    ) -> Response:
        """The page of a form; after an ``error`` once more, with what was wrong with it.

        The template has ``faults`` and ``problem``, and what names no field beside ``field``.
        """
        status = HTTPStatus.OK if error is None else HTTPStatus.BAD_REQUEST
        if isinstance(error, ThrottledError):
            status = HTTPStatus.TOO_MANY_REQUESTS
        return self.shown(template, status, **refused(error, field), **values)

    def redirect(self, path: str, notice: str = "") -> Response:
        """Have the browser get ``path`` (without the prefix), where ``notice`` is shown once."""
        if notice:
            self.set_cookie(NOTICE_COOKIE, quote(notice[:MAX_NOTICE_CHARACTERS]), _NOTICE_S)
        location = (b"Location", f"{self.prefix}{path}".encode("ascii"))
        return self._with_cookies(Response(status=HTTPStatus.SEE_OTHER, headers=(location,)))

    def take_notice(self) -> str:
        """What the last page had to say, once."""
        said = self._cookie(NOTICE_COOKIE)
        if said:
            self.set_cookie(NOTICE_COOKIE, "", 0)
        return unquote(said)[:MAX_NOTICE_CHARACTERS]

    def set_theme(self, theme: str) -> None:
        """Remember one of THEMES, or ``""``: as the system has it."""
        self.set_cookie(THEME_COOKIE, theme, _YEAR_S if theme else 0)

    def set_cookie(self, name: bytes, value: str, max_age_s: int | None = None) -> None:
        """Have the browser keep ``value`` (ASCII without ``;``), which no script reads.

        Without ``max_age_s`` for as long as it runs.
        """
        self.add_cookie(self.call.new_cookie(name, value, max_age_s))

    def add_cookie(self, cookie: bytes) -> None:
        """Have the answer set ``cookie``, which is as Set-Cookie has it."""
        self._cookies.append(cookie)

    def _form_secret(self) -> str:
        if self.call.session:
            return self.call.session
        if not self._secret:
            self._secret = self._cookie(FORM_COOKIE)
        if not self._secret:
            self._secret = new_secret()
            self.set_cookie(FORM_COOKIE, self._secret)
        return self._secret

    def _cookie(self, name: bytes) -> str:
        return (self.call.cookie(name) or b"").decode("latin-1")

    def _with_cookies(self, response: Response) -> Response:
        set_cookies: Headers = tuple((b"Set-Cookie", each) for each in self._cookies)
        return replace(response, headers=(*response.headers, *set_cookies))


def local_path(url: str, prefix: str = "") -> str:
    """``url`` without ``prefix`` if it is a path of this server and nothing else; ``""`` if not."""
    if not _LOCAL.match(url) or not url.startswith(f"{prefix}/"):
        return ""
    path = url.removeprefix(prefix)
    return path if _LOCAL.match(path) else ""
