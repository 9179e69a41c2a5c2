"""Tables and schemas, one file per thing of the field; importing this package registers every table."""

from app.models import (
    area,
    assignment,
    audit,
    break_glass,
    case,
    consent,
    erasure,
    event,
    incident,
    note,
    organisation,
    person,
    service_rows,
    user,
    user_request,
)

__all__ = [
    "area",
    "assignment",
    "audit",
    "break_glass",
    "case",
    "consent",
    "erasure",
    "event",
    "incident",
    "note",
    "organisation",
    "person",
    "service_rows",
    "user",
    "user_request",
]
