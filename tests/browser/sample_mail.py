"""The mail that is seen in the pictures of the README."""

from email.message import EmailMessage
from typing import Final

_TO: Final = "Anna Holm <{address}>"
_PLAIN: Final = (
    ("Tomas Berg <tomas@studio.example>", "Re: Draft of the poster",
     "The blue one, please. I have moved the date to the left, so that it breathes."),
    ("Northwind Energy <bills@northwind.example>", "Your November bill",
     "214 kWh in November, eight per cent less than a year ago. The bill is attached."),
    ("Harbour Library <desk@library.example>", "Two books are due on Friday",
     "“The Summer Book” and “A Field Guide to Clouds”. You may keep both for two more weeks."),
    ("Mira Okafor <mira@example.net>", "Photos of the boat",
     "She floats. Three of them are good enough for the wall."),
    ("Cloudline <no-reply@cloudline.example>", "Your sign-in code is 482913",
     "Your sign-in code is 482913. It is good for ten minutes."),
)  # fmt: skip
_ORDER: Final = """<!DOCTYPE html>
<html><body style="margin:0;background:#f3f0ea;font:16px/1.5 Georgia,serif;color:#2b2b2b">
<div style="max-width:560px;margin:0 auto;padding:24px 28px;background:#fff">
<p style="margin:0;font-size:22px;color:#2a5f64">Paper &amp; Pine</p>
<h1 style="font-size:21px;margin:14px 0 4px">Thank you, Anna. It is on its way.</h1>
<p style="margin:0 0 14px">We hand your parcel over on Monday. To take it from the locker you need
the code <strong>730146</strong>.</p>
<table style="width:100%;border-collapse:collapse">
<tr><td style="padding:6px 0;border-top:1px solid #ddd">Notebook, dotted, A5</td>
<td style="text-align:right;border-top:1px solid #ddd">two at 9.50</td></tr>
<tr><td style="padding:6px 0;border-top:1px solid #ddd">Pencils, soft, a dozen</td>
<td style="text-align:right;border-top:1px solid #ddd">12.00</td></tr>
<tr><td style="padding:6px 0;border-top:1px solid #ddd"><strong>Together</strong></td>
<td style="text-align:right;border-top:1px solid #ddd"><strong>31.00</strong></td></tr>
</table>
<p style="margin:16px 0 0"><a style="color:#2a5f64" href="https://paperandpine.example/orders/10277">
Follow the parcel</a></p>
</div></body></html>"""


def sample_mail(address: str) -> list[EmailMessage]:
    """A few messages to ``address``, the one to be opened last."""
    mails = [_plain(address, *each) for each in _PLAIN]
    mails[1].add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="bill.pdf")
    order = _plain(
        address,
        "Paper & Pine <orders@paperandpine.example>",
        "Order 10277 is on its way",
        "We hand your parcel over on Monday. Your code is 730146.\n"
        "https://paperandpine.example/orders/10277",
    )
    order.add_alternative(_ORDER, subtype="html")
    order.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="delivery.ics")
    return [*mails, order]


def _plain(address: str, sender: str, subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, _TO.format(address=address), subject
    mail.set_content(text)
    return mail
