"""From the segments of a path to the rule that they fit, in as many steps as there are segments.

werkzeug, which Klein asks, tries regular expressions for each request: a tenth of what an answer
costs. What is not found here is left to it: redirects, refusals, and whatever is ambiguous.
"""

from collections.abc import Iterable, Sequence

from werkzeug.routing import Rule


class Paths:
    """The rules of a map, whose parameters are whole segments (``/api/text/<email>``)."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Raises ValueError for a rule that has anything else in angle brackets."""
        self._root = _Node()
        for rule in rules:
            self._root.add(rule)

    def find(self, segments: Sequence[bytes], method: bytes) -> tuple[str, dict[str, str]] | None:
        """The endpoint, and the parameters, in ASCII and as they came; None to ask werkzeug.

        ``segments`` are in ASCII. Where a rule has a segment as it is, and another has a parameter
        in its place, only the first is looked at.
        """
        node, given = self._root, []
        for segment in segments:
            follows = node.fixed.get(segment)
            if follows is None:
                follows = node.parameter
                if follows is None or not segment:
                    return None
                given.append(segment.decode("ascii"))
            node = follows
        found = node.endpoints.get(method)
        return None if found is None else (found[0], dict(zip(found[1], given, strict=True)))


class _Node:
    """What may follow a beginning of a path, and what it leads to where it ends here."""

    def __init__(self) -> None:
        self.fixed: dict[bytes, _Node] = {}
        self.parameter: _Node | None = None
        self.endpoints: dict[bytes, tuple[str, tuple[str, ...]]] = {}

    def add(self, rule: Rule) -> None:
        node, names = self, []
        for segment in rule.rule.removeprefix("/").split("/"):
            if "<" not in segment:
                node = node.fixed.setdefault(segment.encode("ascii"), _Node())
                continue
            name = segment[1:-1]
            if segment != f"<{name}>" or not name.isidentifier():
                raise ValueError(f"{segment} of {rule.rule} is more than a parameter")
            names.append(name)
            node.parameter = node.parameter or _Node()
            node = node.parameter
        for method in rule.methods or ():
            node.endpoints.setdefault(method.encode("ascii"), (rule.endpoint, tuple(names)))
