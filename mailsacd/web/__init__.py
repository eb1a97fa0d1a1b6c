"""The pages that people read in a browser: made here, with the use cases of mailsacd.mail.

They do nothing that the API cannot, and know no SQL. `page` says what a page is, `rendering` makes
its HTML, `pages/` has a module a topic, `templates/` and `static/` what they are made of.
"""
