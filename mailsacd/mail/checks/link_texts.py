"""Texts of links that say nothing of where they lead, in the languages that are met most."""

from typing import Final

_VAGUE: Final = frozenset({
    # English
    "click", "click here", "here", "click this link", "this link", "link", "read more", "more",
    "learn more", "see more", "view more", "more info", "details", "go", "this", "continue",
    # German
    "hier", "klick hier", "klicken sie hier", "mehr", "weiterlesen", "mehr lesen", "weiter",
    "mehr erfahren", "details ansehen",
    # French
    "ici", "cliquez ici", "lire la suite", "en savoir plus", "plus", "voir plus",
    # Spanish, Portuguese, Italian
    "aquí", "haz clic aquí", "haga clic aquí", "leer más", "más", "ver más", "saber más",
    "aqui", "clique aqui", "leia mais", "mais", "saiba mais", "ver mais",
    "qui", "clicca qui", "leggi di più", "scopri di più", "altro",
    # Dutch, Swedish, Polish, Czech
    "klik hier", "lees meer", "meer", "klicka här", "här", "läs mer", "mer",
    "tutaj", "kliknij tutaj", "czytaj więcej", "więcej", "zde", "klikněte zde", "více",
    # Russian, Ukrainian
    "здесь", "тут", "нажмите здесь", "подробнее", "далее", "ещё", "детальніше",
    # Turkish
    "buraya", "buraya tıklayın", "devamı", "daha fazla",  # noqa: RUF001 # Turkish has this letter
    # Japanese, Chinese, Korean
    "こちら", "ここをクリック", "続きを読む", "詳細はこちら",
    "点击这里", "点此", "更多", "了解更多", "這裡", "點擊這裡",
    "여기", "여기를 클릭", "더 보기", "자세히 보기",
})  # fmt: skip
_AROUND: Final = " \t\n.…!:>»→-—[]()\u203a\u2013\u00a0"
_LONGEST: Final = max(map(len, _VAGUE))


def says_nothing(text: str) -> bool:
    """Return whether ``text``, a link's, is one of those that stand for any link."""
    text = text.strip(_AROUND)
    return len(text) <= _LONGEST and " ".join(text.casefold().split()) in _VAGUE
