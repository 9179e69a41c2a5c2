"""A figure as it is told in words."""

from app.models.report import Words

NOT_TOLD = Words(en="not told", km="មិនបង្ហាញ")


def printed(value: int | None, told_in: int = 1) -> Words:
    """`1,200`; with `told_in` 100 a greater 1,234 is "over 1,200"; a figure that is hidden is not told."""
    if value is None:
        return NOT_TOLD
    told = value - value % told_in
    if told and told < value:
        return Words(en=f"over {told:,}", km=f"ជាង {told:,}")
    return Words(en=f"{value:,}", km=f"{value:,}")
