"""Which mail clients do not show a message as it was made: what it asks for, and who has that."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from mailsacd.mail.checks.check import Check, Reason, Result, Subject, not_applicable, scored
from mailsacd.mail.checks.client_support import ClientSupport, Feature
from mailsacd.mail.checks.html_features import Features, Use

NAME: Final = "clients"
MAX_FEATURES: Final = 50
"""So many of the features are told of in the figures."""

_MAX_NAMED: Final = 4
_POINTS: Final = 6
_POINTS_OF_CONTENT: Final = 15
_POINTS_OF_DECORATION: Final = 2

_CONTENT: Final = frozenset({
    "css-display-flex", "css-display-grid", "css-left-right-top-bottom", "css-modern-color",
    "css-nesting", "css-position", "css-variables", "html-audio", "html-dialog", "html-embed",
    "html-form", "html-iframe", "html-input-submit", "html-input-text", "html-object",
    "html-picture", "html-script", "html-select", "html-svg", "html-textarea", "html-video",
    "image-avif", "image-base64", "image-heif", "image-mp4", "image-svg", "image-tiff",
    "image-webp",
})  # fmt: skip
"""Without these something is missing, or stands where it should not."""

_DECORATION: Final = frozenset({
    "css-animation", "css-border-radius", "css-box-shadow", "css-cursor", "css-filter",
    "css-important", "css-letter-spacing", "css-opacity", "css-outline", "css-text-shadow",
    "css-transform", "css-transition", "css-user-select", "css-hyphens", "html-loading-attribute",
    "html-srcset", "html-target", "html-abbr", "html-acronym", "html-semantics", "html-body",
    "html-doctype", "html-lang", "html-role", "html-style",
})  # fmt: skip
_DECORATIONS: Final = (
    "css-at-", "css-pseudo-", "css-selector-", "css-text-decoration-", "html-aria-", "html-meta-",
    "css-outline-", "css-font-", "css-background-",
)  # fmt: skip
"""Without these a message is plainer, and as good to read."""


def clients_check(support: ClientSupport) -> Check:
    """Make the check of what clients show, as ``support`` tells it of them."""
    return partial(_check, support)


def _check(support: ClientSupport, subject: Subject) -> Result:
    if subject.tree is None:
        return not_applicable(NAME, "The message has no HTML")
    uses = Features(subject, support.features).uses
    reasons = [
        reason
        for name, use in uses.items()
        for reason in _reasons(name, use, support.features[name])
    ]
    if subject.styles.limited:
        reasons.append(Reason(points=0, text="Not all style sheets were looked at: they are long"))
    return scored(NAME, reasons, _data(support, uses))


def _reasons(name: str, use: Use, feature: Feature) -> tuple[Reason, ...]:
    points = round(_most_points(name) * feature.lacking)
    if not points:
        return ()
    text = f"{_named(feature.unsupported)} not support {feature.title}"
    return (Reason(points=points, text=text, where=use.place, more=use.count - 1),)


def _most_points(name: str) -> int:
    """What a feature costs that no client has."""
    if name in _CONTENT:
        return _POINTS_OF_CONTENT
    is_decoration = name in _DECORATION or name.startswith(_DECORATIONS)
    return _POINTS_OF_DECORATION if is_decoration else _POINTS


def _named(clients: Sequence[str]) -> str:
    """Who it is, by names, with the verb: of many their families, without platforms."""
    if len(clients) == 1:
        return f"{clients[0]} does"
    names = list(clients)
    if len(names) > _MAX_NAMED:
        names = list(dict.fromkeys(name.partition(" (")[0] for name in names))
    if len(names) > _MAX_NAMED + 1:
        names[_MAX_NAMED:] = [f"{len(names) - _MAX_NAMED} others"]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) + " do"


def _data(support: ClientSupport, uses: dict[str, Use]) -> dict[str, Any]:
    lacking = [name for name in uses if support.features[name].unsupported]
    in_part = [name for name in uses if name not in lacking and support.features[name].partly]
    return {
        "source": support.source,
        "features": [
            {
                "name": name,
                "uses": uses[name].count,
                "unsupported": support.features[name].unsupported,
                "partly": support.features[name].partly,
            }
            for name in (*lacking, *in_part)[:MAX_FEATURES]
        ],
    }
