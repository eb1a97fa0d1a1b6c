"""Organizational domains, by the public suffix list (RFC 7489 section 3.2).

The list is that of the package publicsuffixlist: it is in the package, and nothing is fetched.
Reading it takes 0.1 s, so it is read in a thread, when the first message needs it.
"""

from collections.abc import Callable

from publicsuffixlist import PublicSuffixList


def read_list() -> Callable[[str], str]:
    """Return what tells the organizational domain of a domain, which may be itself.

    Takes 0.1 s; to be called in a thread.
    """
    suffixes = PublicSuffixList()

    def organizational(domain: str) -> str:
        return suffixes.privatesuffix(domain) or domain

    return organizational
