"""The page of a search as a Bundle: links as the caller can follow them, and each resource by its own address."""

import hashlib
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from app.fhir.bundle import FoundEntry, Link, Search, SearchSet
from app.fhir.directory import HealthcareService, Organization
from app.fhir.patient import Patient
from app.fhir.searches import Searched
from app.fhir.service_request import ServiceRequest
from app.fhir.task import Task

Shown = Task | ServiceRequest | Patient | Organization | HealthcareService


def page_of(
    base: str, kind: str, asked: Searched, found: Sequence[Shown], cursor: str | None, included: Iterable[Shown] = ()
) -> SearchSet:
    """`base` is the face's address, `cursor` where the next page begins."""
    own = _link(base, kind, asked, asked.cursor)
    links = [Link(relation="self", url=own)]
    if cursor is not None:
        links.append(Link(relation="next", url=_link(base, kind, asked, cursor)))
    entries = [_entry(base, one, Search(mode="match")) for one in found]
    entries += [_entry(base, one, Search(mode="include")) for one in included]
    return SearchSet(
        resourceType="Bundle",
        id=hashlib.sha256(own.encode()).hexdigest()[:32],
        type="searchset",
        link=links,
        entry=entries or None,
    )


def _entry(base: str, resource: Shown, search: Search) -> FoundEntry:
    return FoundEntry(fullUrl=f"{base}/{resource.resourceType}/{resource.id}", resource=resource, search=search)


def _link(base: str, kind: str, asked: Searched, cursor: str | None) -> str:
    """The search as it was understood: the parameters that were sent, with the cursor of this page."""
    sent = asked.model_dump(by_alias=True, exclude_unset=True, exclude={"cursor", "format_"})
    query = {**sent, **({} if cursor is None else {"_cursor": cursor})}
    return f"{base}/{kind}" + (f"?{urlencode(query, doseq=True)}" if query else "")
