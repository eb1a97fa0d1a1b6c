"""What mail has tried on those who read it, by name. Each asks for a URL with its name in it."""

from typing import Final

U: Final = "@@"
"""Stands for the URL."""

# What only loads a picture: that is let through once a person asks for pictures
PICTURES: Final = {
    "img": f"<img src='{U}' referrerpolicy=unsafe-url>",
    "img-srcset": f"<img srcset='{U} 1x, {U} 2x'>",
    "picture": f"<picture><source srcset='{U}'><img></picture>",
    "background": f"<style>body{{background:url({U})}}</style>",
    "background-escaped": f"<style>body{{background:\\75\\72\\6c({U})}}</style>",
    "background-inline": f"<p style='background-image:url({U})'>x</p>",
    "background-attribute": f"<table background='{U}'><tr><td>x</table>",
    "image-set": f"<p style='background-image:image-set(url({U}) 1x)'>x</p>",
    "list-style": f"<ul style='list-style-image:url({U})'><li>x</ul>",
    "border-image": f"<p style='border:9px solid;border-image:url({U}) 1'>x</p>",
    "mask": f"<p style='mask:url({U}#m)'>x</p>",
    "content": f"<style>p::before{{content:url({U})}}</style><p>x</p>",
    "attribute-selector": (
        f"<style>input[value^=s]{{background:url({U})}}</style><input value=secret>"
    ),
    "font-face-range": f"<style>p::first-line{{background:url({U})}}</style><p>secret</p>",
    "svg-image": f"<svg><image href='{U}' width=9 height=9></image></svg>",
    "svg-xlink": f"<svg><image xlink:href='{U}' width=9 height=9></image></svg>",
    "svg-animate": (
        f"<svg><image width=9 height=9><animate attributeName=href to='{U}' dur=1ms "
        "fill=freeze></animate></image></svg>"
    ),
    "svg-set": (
        f"<svg><image width=9 height=9><set attributeName=href to='{U}'></set></image></svg>"
    ),
    "svg-feimage": (
        f"<svg width=9 height=9><filter id=f><feImage href='{U}'></feImage></filter>"
        "<rect width=9 height=9 filter='url(#f)'></rect></svg>"
    ),
    "video-poster": f"<video poster='{U}'></video>",
    "input-image": f"<input type=image src='{U}'>",
    "base-href": f"<base href='{U}/'><img src=x.png>",
    "meta-referrer": f"<meta name=referrer content=unsafe-url><img src='{U}'>",
    "in-noscript": f"<noscript><img src='{U}'></noscript>",
    "mutated": f"<svg></p><style><a id=\"</style><img src='{U}'>\">",  # takes in what follows
}  # fmt: skip

# What nobody asks for who asks for pictures
OTHERS: Final = {
    "script": f"<script>new Image().src='{U}'</script>",
    "script-src": f"<script src='{U}'></script>",
    "onerror": f"<img src='data:,x' onerror=\"new Image().src='{U}'\">",
    "onload": f"<svg onload=\"new Image().src='{U}'\"></svg>",
    "ontoggle": f"<details open ontoggle=\"new Image().src='{U}'\"></details>",
    "svg-script": f"<svg><script href='{U}'></script></svg>",
    "speculation": f'<script type=speculationrules>{{"prefetch":[{{"urls":["{U}"]}}]}}</script>',
    "import": f"<style>@import '{U}';</style>",
    "import-url": f"<style>@import url({U});</style>",
    "font": (
        f"<style>@font-face{{font-family:f;src:url({U})}}p{{font-family:f}}</style><p>x</p>"
    ),
    "link-stylesheet": f"<link rel=stylesheet href='{U}'>",
    "link-stylesheet-in-svg": f"<svg><style>@import '{U}';</style></svg>",
    "link-icon": f"<link rel=icon href='{U}'>",
    "link-preload": f"<link rel=preload as=image href='{U}'>",
    "link-modulepreload": f"<link rel=modulepreload href='{U}'>",
    "link-prefetch": f"<link rel=prefetch href='{U}'>",
    "link-prerender": f"<link rel=prerender href='{U}'>",
    "link-preconnect": f"<LINK/rel=preconnect href='{U}'>",
    "link-dns-prefetch": f"<link rel=dns-prefetch href='{U}'>",
    "link-manifest": f"<link rel=manifest href='{U}'>",
    "meta-refresh": f"<meta http-equiv=refresh content='0;url={U}'>",
    "meta-policy": (
        "<meta http-equiv=content-security-policy content=\"img-src 'none'; "
        f"report-uri {U}\"><img src=//127.0.0.1:1/x>"
    ),
    "iframe": f"<iframe src='{U}'></iframe>",
    "iframe-srcdoc": f"<iframe srcdoc=\"<script>new Image().src='{U}'</script>\"></iframe>",
    "object": f"<object data='{U}' type='text/html'></object>",
    "embed": f"<embed src='{U}' type='text/html'>",
    "audio": f"<audio src='{U}' autoplay></audio>",
    "video": f"<video src='{U}' autoplay muted></video>",
    "track": f"<video autoplay muted><track default src='{U}'></video>",
    "svg-use": f"<svg><use href='{U}#x'></use></svg>",
    "filter": f"<p style='filter:url({U}#f)'>x</p>",
    "frameset": f"<frameset><frame src='{U}'><noframes>hello</noframes></frameset>",
}  # fmt: skip

# What does it once somebody clicks (on what has the class "go")
CLICKED: Final = {
    "link": f"<a class=go href='{U}'>go</a>",
    "link-top": f"<a class=go target=_top href='{U}'>go</a>",
    "link-parent": f"<a class=go target=_parent href='{U}'>go</a>",
    "link-blank": f"<a class=go target=_blank href='{U}'>go</a>",
    "link-named": f"<a class=go target=other rel=opener href='{U}'>go</a>",
    "link-ping": f"<a class=go href='#x' ping='{U}'>go</a>",
    "link-script": f"<a class=go href=\"javascript:void(new Image().src='{U}')\">go</a>",
    "link-data": f"<a class=go href=\"data:text/html,<img src='{U}'>\">go</a>",
    "svg-link": f"<svg width=90 height=30><a href='{U}'><text y=20 class=go>go</text></a></svg>",
    "area": f"<map name=m><area class=go shape=default href='{U}'></map>",
    "form": f"<form action='{U}'><button class=go>go</button></form>",
    "form-post": f"<form method=post action='{U}'><button class=go>go</button></form>",
    "form-top": f"<form target=_top action='{U}'><button class=go>go</button></form>",
    "formaction": f"<form><button class=go formaction='{U}'>go</button></form>",
}  # fmt: skip


# What would be undone by others on its page, or undo them
_ALONE: Final = ("background-escaped", "meta-refresh", "meta-policy", "frameset")

PAGES: Final[dict[str, tuple[str, ...]]] = {
    "pictures": tuple(name for name in PICTURES if name not in _ALONE),
    "others": tuple(name for name in OTHERS if name not in _ALONE),
    **{name: (name,) for name in _ALONE},
    "clicked": tuple(CLICKED),
}
"""The names of the pieces that are on a page together, by the name of the page."""


def made(page: str, url: str) -> str:
    """That page as HTML: each piece asks for ``url`` and its name, and is in a part of its name."""
    pieces = PICTURES | OTHERS | CLICKED
    return "<!doctype html><html>" + "".join(
        piece if name == "frameset" else f"<div class='{name}'><p>{shown(name)}{piece}</div>"
        for name, piece in (
            (name, pieces[name].replace(U, f"{url}/{name}")) for name in PAGES[page]
        )
    )


def shown(name: str) -> str:
    """What is read on the page as long as the piece of this name is there."""
    return "/frameset" if name == "frameset" else f"hello {name}."  # a part that tells its URL
