"""Tables and schemas, one file per thing of the field; importing this package registers every table."""

from app.models import (
    alert,
    area,
    assignment,
    audit,
    break_glass,
    case,
    consent,
    event,
    incident,
    note,
    organisation,
    person,
    service_rows,
    user,
    user_request,
    whereabouts,
)

__all__ = [
    "alert",
    "area",
    "assignment",
    "audit",
    "break_glass",
    "case",
    "consent",
    "event",
    "incident",
    "note",
    "organisation",
    "person",
    "service_rows",
    "user",
    "user_request",
    "whereabouts",
]
