"""The one-time codes of a message, as a view of it (mail.reading.mailbox)."""

from mailsacd.core.one_time_code import MAX_CHARS, one_time_codes
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.plain import beginning_of_html


def codes_of(parsed: ParsedMessage) -> tuple[str, ...]:
    """Return the one-time codes that subject and text tell, likeliest first.

    Where the text has none the page is looked at: it may say more.
    """
    codes = one_time_codes(parsed.subject, text_of(parsed))
    if codes or parsed.text is None or parsed.html is None:
        return codes
    return one_time_codes(parsed.subject, beginning_of_html(parsed.html, MAX_CHARS))
