"""The pages of operators."""

from mailsacd.assembly.operating import Operating
from mailsacd.web.page import PageGroup
from mailsacd.web.pages.operator_accounts import OperatorAccountPages
from mailsacd.web.pages.operator_figures import OperatorFigurePages
from mailsacd.web.pages.operator_mail import OperatorMailPages


def operator_pages(operating: Operating) -> tuple[PageGroup, ...]:
    """Those on which operators see and change what the commands do."""
    return (
        OperatorFigurePages(operating.figures),
        OperatorAccountPages(operating.accounts),
        OperatorMailPages(operating.mail),
    )
