"""How texts are compared without regard to case, here and in the database's columns."""

import re
from typing import Final

# Letters whose lower case is another alphabet's letter, or one with a mark: they stay as they are,
# as in the columns. İ, ϴ, and the signs of ohm, kelvin and ångström (Unicode 16.0 section 22.2)
_LOWERED: Final = re.compile("[^\u0130\u03f4\u2126\u212a\u212b]+")
_IN_COLUMNS: Final = frozenset(
    "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĳĵķĺļľŀłńņňŋōŏőœŕŗ"
    "řśŝşšţťŧũūŭůűųŵŷÿźżžάέήίόύώαβγδεζηθικλμνξοπρτυφχψωϊѐёђѓєѕіїјљњћќѝўџабвг"
    "дежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿ"
    "ӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯ"
)
"""The small letters beside ASCII that the database's function `folded` makes of capital ones, in
whatever locale; but no sigma, which `fold` makes of its final form, too."""


def fold(text: str) -> str:
    """Return ``text`` in lower case, where a final sigma is any sigma."""
    if text.isascii():
        return text.lower()
    return _LOWERED.sub(lambda found: found[0].lower(), text).replace("\u03c2", "\u03c3")


def is_folded_in_columns(text: str) -> bool:
    """Tell whether columns have the folded ``text`` wherever texts have it that are folded here.

    That is so for letters with two cases that the database knows, and for all that has no case.
    """
    return text.isascii() or all(c.isascii() or c in _IN_COLUMNS or c.upper() == c for c in text)
