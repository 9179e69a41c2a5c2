"""Codes: money and goods."""

from enum import StrEnum


class AssistanceKind(StrEnum):
    """Help in kind, or money."""

    SOCIAL = "social"
    FINANCIAL = "financial"


class AssistanceStatus(StrEnum):
    """Where a request for assistance stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PART_PAID = "part_paid"
    PAID = "paid"
    CANCELLED = "cancelled"


class PaymentMethod(StrEnum):
    """How money or goods were handed over."""

    CASH = "cash"
    MOBILE_WALLET = "mobile_wallet"
    BANK = "bank"
    VOUCHER = "voucher"
    IN_KIND = "in_kind"


class Currency(StrEnum):
    """ISO 4217; amounts are integers in minor units (riel, US cents)."""

    KHR = "KHR"
    USD = "USD"
