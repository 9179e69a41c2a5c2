"""References that are sent in: to an entry of the same Bundle, and to an organisation."""

from uuid import UUID

from app.errors import Invalid
from app.fhir.types import Reference


def check_link(reference: Reference | None, url: str, urls: set[str], pointer: str) -> None:
    """422 unless the reference leads to the entry at `url`; `urls` are those of all entries."""
    if reference is None or reference.reference is None:
        raise Invalid.at(pointer, "required", "This field is required.")
    if reference.reference not in urls:
        raise Invalid.at(pointer, "unknown_reference", "The reference leads to no entry of the Bundle.")
    if reference.reference != url:
        raise Invalid.at(pointer, "wrong_type", "The reference leads to an entry of another type.")


def organisation_named(reference: Reference | None, pointer: str) -> UUID:
    """The organisation that is named; 422 for none, or for anything else."""
    if reference is None or reference.reference is None:
        raise Invalid.at(pointer, "required", "This field is required.")
    try:
        return UUID(reference.reference.removeprefix("Organization/"))
    except ValueError:
        raise Invalid.at(pointer, "unknown_reference", "An organisation is written Organization/id.") from None
