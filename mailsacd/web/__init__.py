"""Files that browsers load: read by mailsacd.http, which serves them."""
