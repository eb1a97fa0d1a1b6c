"""The types of settings: what may be chosen, and within which bounds."""

from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
TwinPort = Annotated[int, msgspec.Meta(ge=-1, le=65535)]
"""A port with TLS from the first byte, beside a plain one; -1: none."""
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=720)]
Workers = Annotated[int, msgspec.Meta(ge=0, le=64)]
PerMinute = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=365)]
PlainLogin = Literal["loopback", "always", "never"]
"""Who may send a password without TLS: those on the same machine, everybody, nobody."""
StartTls = Literal["auto", "offer", "require", "never"]
"""Whether a plain mail port has TLS begun within it, by STARTTLS or STLS. `auto` is `offer`, but
for connections to a loopback address while the certificate is self-signed."""

SmarthostTls = Literal["auto", "never", "opportunistic", "encrypt", "verify", "implicit"]
"""How a smarthost is spoken to. `auto` is `implicit` at port 465, `verify` where a password is sent
to a host that is not on a loopback address, else `opportunistic`."""
