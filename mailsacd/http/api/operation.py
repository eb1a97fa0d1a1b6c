"""One call of the API, declared once: Klein's routes and the specification both come from it."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from mailsacd.core.actor import Actor, account_of, out_of_scope
from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import Later, Problem, Response, Streamed

MAX_BODY_BYTES: Final = 65_536
"""The most that a request's body may have where its operation does not say otherwise."""

_IN_BRACES: Final = re.compile(r"\{([A-Za-z0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is given: who asks, and each declared parameter's value by its name.

    ``body`` is the declared struct, read from the body; ``peer`` is the caller's IP address;
    ``session`` the token of the session cookie, whether it was needed or not; ``secure`` whether
    people come by TLS, as this request did or http.public_url says. ``key`` is the API key that was
    given, ``agent`` what a request that writes has for User-Agent. ``fields`` are those of the body
    as they came, and ``content`` is the body that the API leaves to a `Dialect`; ``header`` and
    ``cookie`` find those of the request by their names. ``while_wanted`` awaits what only reads,
    and gives it up when the client hangs up: it raises CancelledError then. ``request`` is the
    request's id, for the log.

    ``origin`` and ``prefix`` tell where the client sees the server: ``https://team.example`` and
    ``/mail``, or nothing where it is not below a path. A path that is given out, in a link or a
    redirect, begins with ``prefix``; a whole URL with both.
    """

    actor: Actor
    values: Mapping[str, Any]
    body: Any = None
    peer: str = ""
    session: str | None = None
    secure: bool = False
    origin: str = ""
    prefix: str = ""
    agent: str = ""
    request: str = ""
    key: str | None = field(default=None, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    header: Callable[[bytes], bytes | None] = lambda _: None
    cookie: Callable[[bytes], bytes | None] = lambda _: None
    while_wanted: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]] = lambda work: work

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def new_cookie(self, name: bytes, value: str, max_age_s: int | None = None) -> bytes:
        """What has the browser keep ``value`` (ASCII without ``;``), as Set-Cookie has it.

        No script reads it, and it is for the server's own paths alone. Without ``max_age_s`` it is
        kept as long as the browser runs; with 0 it is taken back. RFC 6265 section 4.1.
        """
        lasts = "" if max_age_s is None else f"; Max-Age={max_age_s}"
        secure = "; Secure" if self.secure else ""
        attributes = f"; Path={self.prefix or '/'}{lasts}; HttpOnly; SameSite=Lax{secure}"
        return name + f"={value}{attributes}".encode("ascii")


Handler = Callable[[Call], Coroutine[Any, Any, Response | Streamed | Later]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is different at a path where another protocol than the API is spoken.

    Its body is the handler's to read, as it came. A key may come as a bearer token, too (RFC 6750
    section 2.1). A page may call it if the page is ours by its name, and no other, even with a key.
    ``refusal`` makes the protocol's own error of one of the API, and of the body that came.
    """

    refusal: Callable[[Problem, bytes], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A declared answer. ``schemas`` maps each media type to a JSON Schema; empty: no body."""

    status: int
    description: str
    schemas: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``path`` has its parameters in braces. ``refusals`` are the error statuses that can come.

    ``open`` is set for what concerns the server and not mail: no key is looked at. What is not
    ``listed`` is left out of the specification: pages, and what has a `Dialect`. ``body`` is the
    struct that the request's body is read into (see http.api.bodies); without one, a body is looked
    at for an API key alone.
    ``echoes`` says that the answer repeats the caller's input beside mail: it is not compressed,
    for its size would tell which guesses are in there.
    ``needs_account`` refuses callers without a key or session before their body is read into it.
    ``within_scope`` lets those in, too, whose key is good for a part of an account's mail: what the
    handler asks decides by that part (mail.reading.access).
    A body of more than ``max_body_bytes`` is refused with 413, as is one over the setting
    http.max_body_bytes.
    With a ``dialect`` it is the entrance to another protocol.
    One that ``waits`` is answered when its caller wants it to be: to take long is not to be slow.
    Without a ``handler`` it is told of in the specification, and served by something else.
    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    handler: Handler | None
    parameters: tuple[Parameter, ...] = ()
    answers: tuple[Answer, ...]
    refusals: tuple[int, ...] = ()
    open: bool = False
    listed: bool = True
    description: str = ""
    body: type[msgspec.Struct] | None = None
    needs_account: bool = False
    within_scope: bool = False
    echoes: bool = False
    waits: bool = False
    dialect: Dialect | None = None
    max_body_bytes: int = MAX_BODY_BYTES

    @property
    def rule(self) -> str:
        """The path as Klein writes it, with its parameters in angle brackets."""
        return _IN_BRACES.sub(r"<\1>", self.path)

    def admit(self, actor: Actor) -> None:
        """Let ``actor`` in, as far as the declaration says; what it may see is for the handler.

        Raises UnauthenticatedError where an account is needed, ForbiddenError outside of a scope.
        """
        if actor.scope is not None and not self.within_scope:
            raise out_of_scope()
        if self.needs_account:
            account_of(actor)

    def read(
        self,
        segments: Mapping[str, str],
        query: Mapping[bytes, Sequence[bytes]],
        header: Callable[[bytes], bytes | None] = lambda _: None,
    ) -> dict[str, Any]:
        """The parameters' values, out of still encoded path ``segments``, ``query`` and ``header``.

        Of a query parameter that repeats, the last counts; an empty one is not given, and one
        that is not declared is ignored.
        Raises InvalidInputError with a fault for each bad parameter, and what a parameter's
        own conversion raises.
        """
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for parameter in self.parameters:
            name = parameter.name
            given = _given(parameter, segments, query, header)
            if given is None and not parameter.required:
                values[name] = parameter.default
                continue
            try:
                values[name] = _value(parameter, given)
            except ValueError as e:
                faults.append(Fault(field=name, problem=str(e)))
        if faults:
            named = "; ".join(f"{f.field} {f.problem}" for f in faults)
            raise InvalidInputError(f"Bad request: {named}", tuple(faults))
        return values


def _given(
    parameter: Parameter,
    segments: Mapping[str, str],
    query: Mapping[bytes, Sequence[bytes]],
    header: Callable[[bytes], bytes | None],
) -> bytes | None:
    """What the request has for it, decoded of what a URL encodes.

    None for nothing, as for an empty text outside of the path.
    """
    name = parameter.name
    if parameter.where == "path":
        segment = segments[name]
        return unquote_to_bytes(segment) if "%" in segment else segment.encode()
    if parameter.where == "header":
        return header(name.encode()) or None
    found = query.get(name.encode()) if query else None
    if not found and query and parameter.older_name is not None:
        found = query.get(parameter.older_name.encode())
    return found[-1] or None if found else None


def _value(parameter: Parameter, given: bytes | None) -> Any:
    """Raises ValueError with what is wrong with it."""
    if given is None:
        raise ValueError("is missing")
    try:
        text = given.decode()
    except UnicodeDecodeError as e:
        raise ValueError("is not UTF-8") from e
    return parameter.convert(text)
