"""A program as it is under test: whoever signs up gets a code by mail, and pays with a receipt."""

import smtplib
from email.message import EmailMessage


class Shop:
    """It sends its mail to the SMTP server at ``host`` and ``port``."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def sign_up(self, email: str, code: str) -> None:
        """Send a code that confirms the address, and a link that does the same."""
        link = f"https://shop.example/verify?token=9a3f0c5b7d1e2a4c{code}"
        text = f"Welcome! Your verification code is {code}.\n\nVerify my email: {link}"
        self._send(email, f"{code} is your code", text)

    def pay(self, email: str, order: int) -> None:
        """Send a receipt."""
        self._send(email, f"Your order {order}", "Thank you!")

    def _send(self, to: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"] = "Shop <shop@shop.example>"
        message["To"] = to
        message["Subject"] = subject
        message.set_content(text)
        # named, since smtplib would ask name servers what this machine is called
        with smtplib.SMTP(self._host, self._port, local_hostname="shop.example") as server:
            server.send_message(message)
