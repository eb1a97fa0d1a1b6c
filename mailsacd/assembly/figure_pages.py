"""The pages of an account's figures."""

from mailsacd.assembly.records import Records
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.web.page import PageGroup
from mailsacd.web.pages.activity import ActivityPage
from mailsacd.web.pages.audit import AuditPage
from mailsacd.web.pages.dashboard import DashboardPage
from mailsacd.web.pages.usage import UsagePage


def figure_pages(signing_in: SigningIn, records: Records) -> tuple[PageGroup, ...]:
    """Those on which an account sees what it has, what it used, and what happened."""
    return (
        DashboardPage(signing_in.profiles, records.activity),
        UsagePage(records.reports),
        ActivityPage(records.activity),
        AuditPage(records.audit_log),
    )
