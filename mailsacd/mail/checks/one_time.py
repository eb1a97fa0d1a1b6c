"""Links that do something when they are opened, by the words in them and around them.

Who opens one leaves a list, confirms an address or signs in: a link that is good for one time is
used up then. So they are only told apart roughly, and in doubt a link is taken for one of them.
"""

import re
from typing import Final
from urllib.parse import unquote

MAX_CHARS: Final = 2_000
"""So much of a URL, or of the words around it, is looked at."""

_LEAVES: Final = re.compile(
    r"unsub|un-subscribe|opt-?_?out|list-?manage|leave-?_?(?:the-?_?)?list|remove-?_?me"
    r"|no longer (?:wish|want)|stop receiving|abbestell|abmelde|austrag|d[eé]sabonn|d[eé]sinscri"
    r"|(?:darse|dar) de baja|\bbaja\b|cancelar (?:la |a )?(?:suscripci|inscri|assinatura)"
    r"|descadastr|disiscri|cancella(?:ti|re)? (?:l'|dall)|afmeld|uitschrijv|wypisz|rezygn"
    r"|отпис|退订|退訂|取消订阅|取消訂閱|配信(?:停止|解除)|購読(?:解除|停止)|수신거부|구독 ?취소"
)
_ACTS: Final = re.compile(
    r"confirm|verif|activat|validat|approv|accept|reject|declin|reset|recover|passw|unlock"
    r"|magic|sign-?_? ?in|log-?_? ?in|\bauth(?!or)|oauth|\bsso\b|\botp\b|one-?_? ?time|token|nonce"
    r"|invit|redeem|\bclaim|\brsvp\b|\bvote|delete|cancel|subscribe"
    r"|best(?:ä|ae)tig|anmelde|einlogg|freischalt|aktivier|kennwort|zur(?:ü|ue)cksetz|einladung"
    r"|confirmer|valider|activer|connexion|connecter|mot de passe|r[eé]initialis"
    r"|verificar|activar|contrase|iniciar sesi|restablec|ativar|redefinir|senha|acessar"
    r"|conferma|attiva|accedi|reimposta|bevestig|activeer|inlogg|wachtwoord|uitnodig"
    r"|potwierd|weryfik|aktywuj|zaloguj|has(?:ł|l)o|подтверд|активир|войти|парол"
    r"|验证|驗證|确认|確認|激活|登录|登入|认证|認証|ログイン|有効化|인증|확인|로그인|활성화"
)


def leaves_a_list(*texts: str) -> bool:
    """Whether a link looks like one by which somebody leaves a list.

    ``texts`` are its URL and the words around it.
    """
    return any(_LEAVES.search(_readable(text)) for text in texts)


def acts_once(*texts: str) -> bool:
    """Whether a link looks like one that signs in, confirms or decides something; as above."""
    return any(_ACTS.search(_readable(text)) for text in texts)


def _readable(text: str) -> str:
    return unquote(text[:MAX_CHARS]).lower()
