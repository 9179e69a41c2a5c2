"""The forms of a quarterly report: a page, a workbook, and what DHIS2 imports. Pure functions over what is read."""

from app.forms.dhis2 import dhis2
from app.forms.page import PAGE_POLICY, html
from app.forms.workbook import xlsx

__all__ = ["PAGE_POLICY", "dhis2", "html", "xlsx"]
