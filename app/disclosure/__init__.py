"""Statistical disclosure control: which cells of published tables are hidden so that no small one can be computed.

Pure functions over counts; nothing here knows cases, reports or the database. docs/decisions/0035 says who is defended
against whom. `app.disclosure.audit` has what an attacker computes.
"""

from collections.abc import Collection, Mapping, Sequence

from app.disclosure.cells import CannotHide, Name, Small, Sum

__all__ = ["CannotHide", "Name", "Small", "Sum", "suppress"]


def suppress(
    cells: Mapping[Name, int], sums: Sequence[Sum], *, small: Small, told: Collection[Name] = ()
) -> frozenset[Name]:
    """The cells to hide, as `hiding.suppress` says. The solver is loaded when somebody reads a figure: it takes 50 MB,
    which a process that serves cases need not hold."""
    from app.disclosure.hiding import suppress as hide

    return hide(cells, sums, small=small, told=told)
