"""Which mail clients show what: features of HTML and CSS, and who does not have them.

Features are named as caniemail.com names them, ``css-display-flex`` and ``html-video``, so that its
data can take the place of the little that is known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CLIENTS: Final = {
    "G": "Gmail", "W": "Outlook for Windows", "O": "Outlook.com", "Y": "Yahoo! Mail",
    "A": "Apple Mail", "S": "Samsung Email", "T": "Thunderbird",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature, and the names of the clients that leave it out, or have only a part of it.

    ``clients`` is of how many it is known.
    """

    title: str
    unsupported: tuple[str, ...]
    partly: tuple[str, ...]
    clients: int

    @property
    def lacking(self) -> float:
        """The share of the clients that leave it out, from 0 to 1."""
        return len(self.unsupported) / self.clients if self.clients else 0.0


@dataclass(frozen=True, slots=True)
class ClientSupport:
    """What clients have, by the names of features. ``source`` says who tells so."""

    source: str
    features: Mapping[str, Feature]


# Title, who leaves it out, who has a part: what every author of HTML mail learns sooner or later
_KNOWN: Final = {
    "html-script": ("<script>", "GWOYAST", ""),
    "html-iframe": ("<iframe>", "GWOYAST", ""),
    "html-embed": ("<embed>", "GWOYAST", ""),
    "html-object": ("<object>", "GWOY", "AST"),
    "html-form": ("<form>", "W", "GO"),
    "html-video": ("<video>", "GWOY", "AS"),
    "html-audio": ("<audio>", "GWOY", ""),
    "html-svg": ("<svg>", "GWOY", "A"),
    "html-link": ("<link>", "GOYST", ""),
    "html-picture": ("<picture>", "GWOY", "A"),
    "html-srcset": ("the srcset attribute", "GWOY", ""),
    "html-hidden": ("the hidden attribute", "GWOY", ""),
    "html-background": ("the background attribute", "", "GW"),
    "html-semantics": ("<main>, <section>, <article> and the like", "WY", "GO"),
    "html-style": ("<style>", "", "G"),
    "html-marquee": ("<marquee>", "GW", "OY"),
    "css-align-items": ("align-items", "GWY", ""),
    "css-animation": ("animation", "GWOY", ""),
    "css-aspect-ratio": ("aspect-ratio", "GWOYST", ""),
    "css-at-font-face": ("@font-face", "GOY", "W"),
    "css-at-import": ("@import", "GOYST", ""),
    "css-at-media": ("@media", "W", "GOYS"),
    "css-at-media-prefers-color-scheme": ("@media (prefers-color-scheme)", "GWYT", ""),
    "css-at-supports": ("@supports", "GWO", ""),
    "css-backdrop-filter": ("backdrop-filter", "GWOY", ""),
    "css-background": ("background", "", "WY"),
    "css-background-image": ("background-image", "W", "Y"),
    "css-background-position": ("background-position", "W", ""),
    "css-background-repeat": ("background-repeat", "W", ""),
    "css-background-size": ("background-size", "W", "G"),
    "css-border": ("border", "", "W"),
    "css-border-radius": ("border-radius", "W", "Y"),
    "css-box-shadow": ("box-shadow", "WY", "G"),
    "css-box-sizing": ("box-sizing", "WY", ""),
    "css-clip-path": ("clip-path", "GWOY", ""),
    "css-column-count": ("column-count", "WY", ""),
    "css-display-flex": ("display: flex", "W", "G"),
    "css-display-grid": ("display: grid", "GWY", ""),
    "css-display-none": ("display: none", "", "W"),
    "css-filter": ("filter", "GWOY", ""),
    "css-flex-direction": ("flex-direction", "GWY", ""),
    "css-flex-wrap": ("flex-wrap", "GWY", ""),
    "css-float": ("float", "W", "GY"),
    "css-function-clamp": ("clamp()", "WOYS", "G"),
    "css-function-max": ("max()", "WOYS", "G"),
    "css-function-min": ("min()", "WOYS", "G"),
    "css-gap": ("gap", "WY", "GO"),
    "css-grid-template": ("grid-template", "GWOY", ""),
    "css-justify-content": ("justify-content", "GWY", ""),
    "css-left-right-top-bottom": ("left, right, top and bottom", "GWY", "S"),
    "css-linear-gradient": ("linear-gradient()", "WOY", "GS"),
    "css-margin": ("margin, negative or auto,", "", "GWOY"),
    "css-max-height": ("max-height", "W", ""),
    "css-max-width": ("max-width", "", "W"),
    "css-min-height": ("min-height", "W", ""),
    "css-min-width": ("min-width", "W", ""),
    "css-mix-blend-mode": ("mix-blend-mode", "WY", "G"),
    "css-modern-color": ("lab(), lch() and their like", "GWOYST", ""),
    "css-nesting": ("nested rules", "GWOY", "AS"),
    "css-object-fit": ("object-fit", "WY", "G"),
    "css-opacity": ("opacity", "W", ""),
    "css-outline": ("outline", "W", ""),
    "css-overflow": ("overflow", "W", "GOYAS"),
    "css-padding": ("padding", "", "W"),
    "css-position": ("position", "GW", "OYAS"),
    "css-pseudo-class-first-child": (":first-child", "GW", "O"),
    "css-pseudo-class-hover": (":hover", "W", "GO"),
    "css-pseudo-class-last-child": (":last-child", "GW", "O"),
    "css-pseudo-class-not": (":not()", "GWOY", ""),
    "css-pseudo-class-nth-child": (":nth-child()", "GWOY", ""),
    "css-pseudo-element-after": ("::after", "GWY", "O"),
    "css-pseudo-element-before": ("::before", "GWY", "O"),
    "css-radial-gradient": ("radial-gradient()", "WOY", "G"),
    "css-rgba": ("rgba()", "W", "GY"),
    "css-selector-adjacent-sibling": ("the selector a + b", "W", "G"),
    "css-selector-attribute": ("selectors by attribute", "W", "GOY"),
    "css-selector-child": ("the selector a > b", "W", "G"),
    "css-selector-general-sibling": ("the selector a ~ b", "W", "G"),
    "css-text-overflow": ("text-overflow", "WYS", "G"),
    "css-text-shadow": ("text-shadow", "GWO", ""),
    "css-transform": ("transform", "GWOY", ""),
    "css-transition": ("transition", "GWO", "YS"),
    "css-unit-calc": ("calc()", "WOY", "G"),
    "css-unit-rem": ("the unit rem", "WY", ""),
    "css-unit-vh": ("the unit vh", "W", "A"),
    "css-unit-vw": ("the unit vw", "W", ""),
    "css-variables": ("custom properties", "GWOY", ""),
    "css-visibility": ("visibility", "GW", ""),
    "css-width": ("width", "", "W"),
    "css-writing-mode": ("writing-mode", "WY", "G"),
    "css-z-index": ("z-index", "GW", ""),
    "image-avif": ("AVIF pictures", "W", "G"),
    "image-base64": ("pictures in data: URLs", "G", "W"),
    "image-svg": ("SVG pictures", "G", ""),
    "image-webp": ("WebP pictures", "W", "G"),
}


def _feature(title: str, unsupported: str, partly: str) -> Feature:
    return Feature(
        title,
        tuple(CLIENTS[letter] for letter in unsupported),
        tuple(CLIENTS[letter] for letter in partly),
        len(CLIENTS),
    )


WELL_KNOWN: Final = ClientSupport(
    source="mailsacd", features={name: _feature(*known) for name, known in _KNOWN.items()}
)
"""What is known here: of few features and clients, and true for years."""
