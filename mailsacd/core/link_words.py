"""Words that tell what a link in a mail is for: confirming something, or something else.

They are of the languages of core.code_words, written as its lists are, and looked for in lower
case; apostrophes are spaces.
"""
# ruff: noqa: RUF001  the signs and letters of all kinds of mail are meant

import re
from typing import Final

from mailsacd.core.code_words import any_of, whole_words

_VERIFY: Final = """
    verify confirm activate validate verifying confirming activating
    complete_your_registration
    complete_registration complete_your_sign_up finish_signing_up finish_your_registration
    bestätigen bestätige aktivieren aktiviere verifizieren verifiziere freischalten
    validieren
    vérifier vérifiez confirmer confirmez activer activez valider validez
    verificar verifica verifique confirmar confirma confirme activar activa active validar
    valida
    verificare conferma confermare attiva attivare convalida
    ativar ative validar valide
    bevestig bevestigen verifieer verifiëren activeer activeren
    potwierdź potwierdzić zweryfikuj zweryfikować aktywuj aktywować
    подтвердить подтвердите подтверди подтверждения активировать активируйте
    doğrula doğrulayın doğrulamak onayla onaylayın onaylamak etkinleştir etkinleştirin
    aktifleştir
    bekräfta verifiera bekræft bekreft
"""
_VERIFY_UNSPACED: Final = """
    を確認 の確認 確認する 認証する 本登録 有効化 登録を完了
    认证邮箱 验证 驗證 确认 確認您 確認電 激活 啟用 启用
    인증 확인하기 활성화 تأكيد تفعيل فعل_حسابك تحقق
"""
_THINGS: Final = """
    e_mail e_mails email emails mail address account registration sign_up signup identity
    subscription
    profile device it_s_you adresse mail_adresse konto registrierung anmeldung
    e_mail_adresse zugang compte
    inscription adresse_e_mail correo cuenta registro dirección suscripción indirizzo
    account iscrizione
    registrazione conta endereço cadastro inscrição e_mailadres emailadres adres rejestrację
    konto
    почту адрес аккаунт регистрацию электронн* учетн* hesab* posta adresini e_posta* kaydı*
    konto
"""
_THINGS_UNSPACED: Final = """
    メール アドレス アカウント 登録
    邮箱 电子邮件 账户 帐户 账号 帳戶 電郵 電子郵件 이메일 계정 주소 البريد حساب
"""
_OTHER_THINGS: Final = """
    order orders booking reservation appointment attendance payment payments receipt
    delivery unsubscribe
    unsubscription cancellation interest participation invoice purchase rsvp
    bestellung termin teilnahme zahlung buchung rechnung lieferung
    commande paiement réservation rendez_vous présence pedido reserva cita pago asistencia
    compra
    ordine prenotazione appuntamento pagamento pagamento presença consulta bestelling
    afspraak betaling
    zamówieni* rezerwacj* płatno* wizyt* заказ* бронировани* платеж* оплат* визит*
    sipariş* rezervasyon* ödeme* randevu*
"""
_OTHER_THINGS_UNSPACED: Final = """
    注文 予約 出席 支払 订单 訂單 预订 付款 주문 예약 결제 참석 الطلب طلبك الحجز الدفع الموعد
"""
_PASSWORDS: Final = """
    password passwords passcode passphrase passwort kennwort mot_de_passe contraseña
    contrasena clave
    password senha wachtwoord hasło hasła пароль пароля şifre şifrenizi şifremi şifreni
    parola parolanızı
    lösenord adgangskode passord
"""
_PASSWORDS_UNSPACED: Final = "パスワード 密码 密碼 비밀번호 암호 كلمة_المرور كلمة_مرور كلمة_السر"
_RESETS: Final = """
    reset resetting change choose create recover set new forgot forgotten
    zurücksetzen zurückzusetzen ändern neues festlegen vergeben vergessen
    réinitialiser réinitialisez réinitialisation changer modifier nouveau oublié choisir
    définir
    restablecer restablece restablecimiento cambiar recuperar nueva nuevo olvidado olvidaste
    crear
    reimpostare reimposta reimpostazione cambiare cambia recupera nuova dimenticato
    ripristina
    redefinir redefina redefinição alterar recuperar nova esqueceu
    herstellen opnieuw wijzigen nieuw vergeten instellen zresetuj resetowanie reset* zmień
    zmienić nowe
    ustaw сброс сбросить сменить новый восстановить восстановление изменить
    sıfırla sıfırlamak sıfırlama yenile değiştir değiştirmek yeni oluştur återställ nulstil
    tilbakestill
"""
_RESETS_UNSPACED: Final = """
    再設定 リセット 変更 重置 重设 重設 修改 找回 更改
    재설정 변경 초기화 إعادة تغيير استعادة تعيين
"""
_SIGN_INS: Final = """
    sign_in sign_me_in log_in login log_me_in magic_link sign_in_link login_link
    anmelden einloggen anmeldelink se_connecter connectez_vous connexion lien_magique
    iniciar_sesión inicia_sesión acceder accede entrar enlace_mágico accedi accedere
    link_magico
    iniciar_sessão acessar inloggen inloglink aanmelden zaloguj zalogować logowania
    войти вход входа giriş giriş_yap oturum_aç logga_in log_ind logg_inn
"""
_SIGN_INS_UNSPACED: Final = """
    ログイン サインイン 登录 登入 登錄 로그인 تسجيل_الدخول رابط_الدخول
"""
_ONE_TIME: Final = """
    expires expire valid_for once one_time single_use did_not_request didn_t_request
    requested safely_ignore
    magic_link magic gültig läuft_ab einmal angefordert valable expire demandé caduca válido
    solicitado
    solicitaste valido scade richiesto expira solicitou geldig verloopt aangevraagd ważny
    wygasa
    действует действительна запросили запрашивали geçerlidir geçerli giltig
"""
_ONE_TIME_UNSPACED: Final = "有効期限 有効 有效 유효 만료 صالح تنتهي"
_NOT_YOU: Final = """
    wasn_t_you was_not_you isn_t_you not_you did_not_do_this didn_t_do_this
    did_not_make_this didn_t_make_this
    did_not_sign nicht_sie nicht_du pas_vous no_fuiste_tú no_has_sido no_eras_tú
    non_sei_stato_tu não_foi_você
    niet_jij niet_u nie_ty не_вы siz_değilseniz
"""
_UNWANTED: Final = """
    unsubscribe unsubscription opt_out opt_in_preferences preferences manage_subscription
    privacy terms imprint legal
    help support contact contact_us faq view_in_browser view_online browser decline cancel
    ignore report block
    not_me blog download follow_us learn_more read_more
    abmelden abbestellen abbestellung datenschutz impressum agb hilfe kontakt
    désabonner désinscrire désinscription confidentialité mentions_légales aide
    contactez_nous
    darse_de_baja baja cancelar privacidad ayuda contacto disiscriviti annulla assistenza
    privacidade
    descadastrar ajuda uitschrijven afmelden voorwaarden hulp wypisz rezygnuj pomoc
    prywatności
    отписаться отказаться помощь поддержка abonelikten_çık aboneliğini_iptal gizlilik yardım
    avsluta avregistrera
"""
_UNWANTED_UNSPACED: Final = """
    配信停止 退会 お問い合わせ プライバシー ヘルプ
    退订 退訂 取消订阅 隐私 帮助 수신거부 수신_거부 개인정보 고객센터
    إلغاء_الاشتراك الخصوصية مساعدة
"""
_GENERIC: Final = """
    here click_here this_link link button continue next start get_started go let_s_go
    press_here tap_here
    hier klicken hier_klicken weiter link ici cliquez_ici cliquant_ici en continuer aquí
    haz_clic_aquí haga_clic_aquí continuar qui
    clicca_qui continua aqui clique_aqui klik_hier verder tutaj kliknij kliknij_tutaj dalej
    здесь сюда перейти
    buraya buraya_tıklayın tıklayın devam här
"""
_GENERIC_UNSPACED: Final = (
    "こちら ここ 次へ 点击这里 此处 這裡 点击 继续 여기 계속 هنا اضغط انقر متابعة"
)


def _either(spaced: str, unspaced: str) -> re.Pattern[str]:
    return re.compile(rf"{whole_words(spaced)}|{any_of(unspaced)}")


VERIFY: Final = _either(_VERIFY, _VERIFY_UNSPACED)
"""Asks for a confirmation."""

CONFIRMABLE: Final = _either(_THINGS, _THINGS_UNSPACED)
"""What is confirmed by a link that only the mail has: an address, an account."""

OTHER_THINGS: Final = _either(_OTHER_THINGS, _OTHER_THINGS_UNSPACED)
"""What is confirmed in a business: an order, an appointment."""

PASSWORD: Final = _either(_PASSWORDS, _PASSWORDS_UNSPACED)
RESET: Final = _either(_RESETS, _RESETS_UNSPACED)
"""Together these ask for a new password."""

SIGN_IN: Final = _either(_SIGN_INS, _SIGN_INS_UNSPACED)
ONE_TIME: Final = _either(_ONE_TIME, _ONE_TIME_UNSPACED)
"""A link that is good once, or was asked for."""

NOT_YOU: Final = re.compile(whole_words(_NOT_YOU))
"""What is to be done by who did not do something."""

UNWANTED: Final = _either(_UNWANTED, _UNWANTED_UNSPACED)
"""Links that confirm nothing."""

GENERIC: Final = re.compile(
    rf"\W{{0,9}}(?:(?:{whole_words(_GENERIC)}|{any_of(_GENERIC_UNSPACED)})\W{{0,9}}){{1,4}}\Z"
)
"""A label that says nothing of where the link leads."""
