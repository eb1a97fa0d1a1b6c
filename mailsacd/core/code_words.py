"""Words that tell what a number in a mail is: a one-time code, or something else.

They are English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Turkish,
Arabic, Chinese, Japanese and Korean, and looked for in lower case. In the lists ``_`` is a space or
a hyphen, and ``*`` the rest of a word. Words of languages that put no spaces between them, or
write the article as a part of a word, are found anywhere.
"""

# ruff: noqa: RUF001  the letters of all languages are meant

import re
from collections.abc import Iterable, Iterator
from typing import Final

LETTERS: Final = "a-z\u00c0-\u024f\u0400-\u04ff"
"""Lower-case letters of words that have spaces between them, as a part of a set."""

OTHER_CODES: Final = """
    promo promotion promotional discount coupon voucher gift offer referral zip post postal
    country
    area dial dialing dialling error status exit response source qr bar swift sort tracking
    booking
    product item order tax branch bank color colour dress reference reservation store location
    job
    course class reason invite parcel customer client member model part office door supplier
    rabatt gutschein aktions vorteils länder buchungs promotionnel réduction suivi descuento
    promocional cupón desconto sconto fiscale kortings actie rabatowy pocztowy
    articolo prodotto sconto producto produto rastreo rastreio reserva barras barre porte client
    produktu towaru kreskowy paczki товара заказа региона города купона скидки
    posta ürün indirim alan ülke müşteri abone şube banka tesisat
"""
"""Words that make of a code another one, as in postal code."""

CODES: Final = """
    code codes *code *codes number_you_need number_to_enter otp pin mtan tan passkey token
    pass_code pin_code
    one_time_password one_time_passcode one_time_pin one_time_key
    einmalpasswort einmalkennwort einmalpin mot_de_passe_à_usage_unique
    código códigos codigo clave contraseña_de_un_solo_uso contraseña_temporal
    senha_de_uso_único senha_temporária senha_descartável codice codici password_monouso
    eenmalig_wachtwoord kod kodu kodem kody kodun kodunu kodunuz kodunuzu kodunuzdur kodudur
    şifre şifren şifreniz şifrenizi parola parolanız *kod *kode *koden kód hasło_jednorazowe
    код кода кодом коды пароль пароля одноразов*_парол* пин пин_код
"""
"""Names of codes."""

ACTS: Final = """
    verif* confirm* security authenti* login log_in sign_in sign_up signin two_factor two_step
    2_step 2fa activat* access password identity
    bestätig* sicherheit* anmeld* zugang identität identité identidad identidade identità acceso
    acesso passwort kennwort verifizier* vérif* sécurité connexion connecter
    mot_de_passe authentifi* seguridad autentic* contraseña iniciar_sesión inicio_de_sesión
    segurança senha conferm* sicurezza accesso accedere beveilig* bevestig* inloggen wachtwoord
    weryfik* potwierdz* bezpiecze* logowani* zalogow* hasło
    подтвер* провер* безопас* вход входа войти
    doğrula* onay* güvenlik giriş* oturum
"""
"""What codes are for."""

OTHERS: Final = """
    order orders invoice receipt purchase transaction ref reference ticket case incident
    tracking
    shipment parcel package booking reservation itinerary policy claim confirmation_number
    confirmation_no confirmation_id security_number security_bulletin security_update
    security_patch code_of code_review account accounts customer member membership card ending
    ending_in ending_with iban vat isbn serial userid user_id request_id order_id session_id
    message_id device_id client_id tel phone telephone fax call mobile hotline stop_to help_to
    room
    sample contract page nip siret siren naf inn suite floor gate flight seat po_box apt version
    build port error copyright since model issue
    article sku total amount section paragraph event line_number in_line at_line rev revision
    returns instead_of webinar_id registration_number rfc iso cve sent_to
    *nummer polis* bestell* rechnung* auftrag* sendung* vorgang* beleg* buchung* reservierung*
    aktenzeichen kunden*
    konto kontonummer karte endend_auf endziffern telefon* rufnummer plz postfach zimmer sitz
    gleis
    zug artikel* betrag seit
    commande contrat facture colis référence réf réservation dossier client compte carte
    téléphone tél
    depuis montant
    pedido contrato factura envío seguimiento referencia reserva expediente cliente cuenta
    tarjeta
    terminada_en teléfono desde importe encomenda fatura rastreio rastreamento referência
    protocolo
    conta cartão final telefone valor
    ordine contratto cig fattura spedizione riferimento prenotazione pratica carta telefono
    importo
    bestelling bestelnummer factuur zending referentie reservering klant* rekening* telefoon*
    bedrag
    zamówieni* faktur* przesyłk* rezerwacj* klienta konta karty kwota
    инн кпп заказ* счет* счёт* накладн* трек* посылк* брон* договор* клиент* карт* телефон* тел
    индекс
    сумма промокод*
    oda sipariş* fatura* kargo takip rezervasyon* müşteri hesap kart telefon tutar* kupon*
"""
"""What is counted, named or bought by another number."""

CODES_UNSPACED: Final = """
    验证码 驗證碼 校验码 校驗碼 确认码 確認碼 动态码 動態碼 动态密码 安全码 安全碼
    认证码 認證碼 口令 一次性密码 一次性密碼 コード 認証番号 確認番号 暗証番号 ワンタイムパスワード
    인증번호 인증_번호 확인번호 확인_번호 코드 비밀번호 보안번호
    رمز كود رقم_التحقق كلمة_المرور_لمرة_واحدة كلمة_مرور_لمرة_واحدة الرقم_السري
"""
"""The same three where words have no spaces between them."""

ACTS_UNSPACED: Final = """
    验证 驗證 确认 確認 認証 安全 登录 登錄 登入 セキュリティ ログイン 보안 인증 확인 로그인
    التحقق تأكيد تسجيل_الدخول الدخول الأمان تفعيل المصادقة كلمة_المرور
"""
OTHERS_UNSPACED: Final = """
    订单 訂單 发票 發票 快递 快遞 运单 運單 单号 單號 预订 客服 电话 電話 邮编 优惠 優惠 尾号 尾號
    编号 編號 注文 請求 追跡 お問い合わせ番号 予約 会員番号 お客様番号 郵便 〒 クーポン
    伝票 口座 優待 クーポンコード 商品コード 製品コード バーコード 取件码 提货码 编码
    주문 송장 운송장 예약 고객 전화 우편 쿠폰 할인 계좌 카드
    쿠폰_코드 할인_코드 상품코드 상품_코드 우편번호 바코드
    غرفة رقم_الموعد رقم_الطلب رقم_الحساب رقم_الحجز رقم_العميل رقم_الجوال رقم_الهاتف رقم_الفاتورة
    رقم_الشحنة
    رمز_المنتج الرمز_البريدي رمز_بريدي كود_الخصم كود_خصم رمز_الخصم رمز_خصم قسيمة المبلغ هاتف
"""
_BARGAINS: Final = """
    off_your discount coupon promo voucher checkout sale gift_card rabatt gutschein remise
    promotion
    descuento cupón desconto cupom sconto korting rabat скидк* промокод* indirim* kupon*
"""
_BARGAINS_UNSPACED: Final = "优惠 優惠 折扣 クーポン 割引 쿠폰 할인 خصم قسيمة"
_PAYINGS: Final = "visa mastercard amex terminal merchant"
_TAKING: Final = """
    use using enter entering type input submit provide insert eingeben verwenden nutzen gib
    geben
    saisir saisissez entrez utilisez introduce introduzca ingresa ingrese usa usar utiliza
    digite
    insira inserisci utilizza digita voer gebruik wpisz użyj podaj введите используйте
    girin giriniz kullanın yazın أدخل ادخل استخدم
"""

NO_THINGS: Final = """
    for für pour para por per voor för dla для için from with at was are lautet ist jest est
    hier here below following above again now sms secret numeric temporary
    folgende folgenden suivant suivante confidentiel temporaire secret unique siguiente temporal
    secreto único seguinte temporário abaixo seguente segreto temporaneo unico volgende
    tijdelijke
    następujący tajny autoryzac* ниже следующий секретный авторизац* kullanımlık geçici bu
    activación activação ativação
    attivazione activering aktywac* jednorazow* активац* aktivasyon autoris* autoriz* dynami*
    dinámi*
"""
"""What may stand between the name of a code and the code."""

NO_THINGS_UNSPACED: Final = (
    "الخاص التالي السري المؤقت ワンタイム アクセス 承認 検証 本人 パス 일회용 접속 승인"
)


def any_of(listed: str) -> str:
    """Return a regular expression for the words in ``listed``, longer ones before their beginnings.

    ``_`` is a space or a hyphen, and ``*`` the rest of a word.
    """
    return _any(_words(listed))


def whole_words(listed: str) -> str:
    """Return a regular expression for those words where no letter stands beside them."""
    return rf"(?<![{LETTERS}])(?:{any_of(listed)})(?![{LETTERS}])"


def _words(listed: str) -> Iterator[str]:
    rest = f"[{LETTERS}]{{0,20}}"
    for word in listed.split():
        yield re.escape(word).replace(r"\*", rest).replace("_", "[ -]")


def _any(words: Iterable[str]) -> str:
    """Longer words come before what they begin with."""
    return "|".join(sorted(words, key=len, reverse=True))


BARGAIN: Final = re.compile(
    rf"(?<![{LETTERS}])(?:{_any(_words(_BARGAINS))})(?![{LETTERS}])"
    rf"|{_any(_words(_BARGAINS_UNSPACED))}|\d ?%"
)
"""What a code is for that makes something cheaper."""

PAYING: Final = re.compile(rf"(?<![{LETTERS}])(?:{_any(_words(_PAYINGS))})(?![{LETTERS}])")
"""What stands beside numbers on receipts of cards."""

TAKING: Final = re.compile(
    rf"(?<![{LETTERS}])(?:{_any(_words(_TAKING))})(?![{LETTERS}])[^\n.]{{0,20}}\Z"
)
"""A text that asks for what follows it to be typed."""
