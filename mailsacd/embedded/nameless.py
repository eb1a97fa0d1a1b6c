"""A name for a user that is a bare number, as containers have it: initdb asks the system for one.

Only initdb does. It is given libnss_wrapper (https://cwrap.org/nss_wrapper.html), which answers
such questions out of files of ours.
"""

import pwd
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Final

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.account import SystemUser

_WHERE_IT_IS: Final = ("/usr/lib/*/libnss_wrapper.so", "/usr/lib*/libnss_wrapper.so")
_NAME: Final = "mailsacd"


@contextmanager
def named(user: SystemUser, place: Path) -> Iterator[Mapping[str, str]]:
    """Yield what has to be in the environment of a program so that ``user`` has a name for it.

    That is nothing where it has one. Files for it are in ``place`` meanwhile, since all else may be
    read-only. Raises ConfigurationError where it cannot be given one.
    """
    if _has_name(user.uid):
        yield {}
        return
    library = next((found for pattern in _WHERE_IT_IS for found in sorted(glob(pattern))), None)
    if library is None:
        raise ConfigurationError(
            f"the user {user.uid} has no name, which PostgreSQL's initdb needs: "
            "add it to /etc/passwd, or install libnss-wrapper"
        )
    with tempfile.TemporaryDirectory(dir=place) as directory:
        people, groups = Path(directory, "passwd"), Path(directory, "group")
        people.write_text(f"{_NAME}:x:{user.uid}:{user.gid}::/:/bin/false\n", encoding="ascii")
        groups.write_text(f"{_NAME}:x:{user.gid}:\n", encoding="ascii")
        yield {
            "LD_PRELOAD": library,
            "NSS_WRAPPER_PASSWD": str(people),
            "NSS_WRAPPER_GROUP": str(groups),
        }


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
