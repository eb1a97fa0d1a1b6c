"""mailsacd: receive mail at any address without setting anything up, and read it by REST."""

__version__ = "0.1.0"
