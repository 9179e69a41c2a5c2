"""Releases of anonymised cases: an auditor asks for one, the worker freezes it, a supervisor of every organisation with
rows in it approves what she has read. Nobody chooses anything but profile and quarter (exports.md)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import Cause, Conflict, Invalid, NotFound, Withdrawn
from app.export_profiles import NAMES, profile_named
from app.ids import new_id
from app.models.base import Page
from app.models.codes.files import ExportState
from app.models.export import (
    Export,
    ExportApprovals,
    ExportApprove,
    ExportCreate,
    ExportFile,
    ExportFileRead,
    ExportProgress,
    ExportRead,
)
from app.paging import ListQuery, newest_first
from app.periods import Period
from app.security import Actor, require_step_up
from app.services.addressed import export_row
from app.settings import Settings

SETTLES_IN = timedelta(days=30)  # after the quarter's end nothing is frozen so soon
RELEASES_AT_MOST = 3  # of one cohort: each tells a little more of the same people

REQUEST = """
    select outcome, id from request_export(%(id)s, %(profile)s, %(version)s, %(hash)s, %(period)s, %(at_most)s)
"""
APPROVALS = "select export_id, organisation_id, given from export_approvals_of(%(ids)s)"
APPROVE = "select approve_export(%(id)s, %(sha256)s) as outcome"
REFUSALS = {
    "not_frozen": Cause.NOT_FROZEN,
    "answered": Cause.ANSWERED,
    "same_person": Cause.SAME_PERSON,
    "outdated": Cause.OUTDATED,
}


async def request_export(session: AsyncSession, actor: Actor, wanted: ExportCreate) -> tuple[ExportRead, bool]:
    """The release of a profile and a quarter, and whether it is a new one; anybody's later request gets the same.

    401 `step_up_required`, 422 for an unknown profile or quarter, 409 `too_early` until thirty days after the quarter,
    409 `too_many` releases of its cohort, 410 for a new profile where they were withdrawn.
    """
    require_step_up(actor)
    period = _settled(session, actor, wanted.period)
    if wanted.profile not in NAMES:
        raise Invalid.at("/profile", "unknown_profile", "There is no such profile.")
    profile = profile_named(wanted.profile)
    asked = {
        "id": new_id(),
        "profile": profile.name,
        "version": str(profile.version),
        "hash": profile.hash,
        "period": str(period),
        "at_most": RELEASES_AT_MOST,
    }
    [found] = await fetch(session, REQUEST, asked)
    if found.outcome == "withdrawn":
        raise Withdrawn
    if found.outcome == "too_many":
        raise Conflict(Cause.TOO_MANY)
    return await read_export(session, found.id), found.outcome == "new"


async def list_exports(session: AsyncSession, query: ListQuery) -> Page[ExportRead]:
    """Every release of which the caller may know, the newest first."""
    rows, cursor = await newest_first(session, select(Export), Export.requested_at, Export.id, query)
    return Page[ExportRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_export(session: AsyncSession, export_id: UUID) -> ExportRead:
    """One; 404 when the caller may not know of it."""
    return (await _reads(session, [await export_row(session, export_id)]))[0]


async def approve_export(session: AsyncSession, actor: Actor, export_id: UUID, said: ExportApprove) -> ExportRead:
    """The yes of the supervisor's organisation to the manifest that she read; the last one releases the files.

    404 where the organisation has no rows in it, 409 before it is frozen, for who asked for it or approved another
    release of the same cases, and for another manifest; 410 once it is withdrawn.
    """
    await export_row(session, export_id)
    require_step_up(actor)
    [answer] = await fetch(session, APPROVE, {"id": export_id, "sha256": said.manifest_sha256})
    if answer.outcome is None:
        raise NotFound
    if answer.outcome == "withdrawn":
        raise Withdrawn
    if answer.outcome != "approved":
        raise Conflict(REFUSALS[answer.outcome])
    return await read_export(session, export_id)


def _settled(session: AsyncSession, actor: Actor, text: str) -> Period:
    chosen: Settings = session.info["settings"]
    period = Period.asked(text, chosen.year_start_month, "/period")
    if actor.now < period.moments[1] + SETTLES_IN:
        raise Conflict(Cause.TOO_EARLY)
    return period


async def _reads(session: AsyncSession, rows: Sequence[Export]) -> list[ExportRead]:
    ids = [row.id for row in rows]
    approvals, files = await _approvals(session, ids), await _files(session, ids)
    return [_read(row, approvals.get(row.id), files.get(row.id, [])) for row in rows]


async def _approvals(session: AsyncSession, ids: list[UUID]) -> dict[UUID, ExportApprovals]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in await fetch(session, APPROVALS, {"ids": ids}):
        found[row.export_id].append(row)
    return {
        export_id: ExportApprovals(
            given=sum(row.given for row in some), awaited=[row.organisation_id for row in some if not row.given]
        )
        for export_id, some in found.items()
    }


async def _files(session: AsyncSession, ids: list[UUID]) -> dict[UUID, list[ExportFileRead]]:
    statement = select(ExportFile).where(col(ExportFile.export_id).in_(ids)).order_by(col(ExportFile.name))
    found: dict[UUID, list[ExportFileRead]] = defaultdict(list)
    for row in (await session.execute(statement)).scalars():
        found[row.export_id].append(ExportFileRead(name=row.name, sha256=row.sha256, bytes=row.size, rows=row.rows))
    return found


def _read(row: Export, approvals: ExportApprovals | None, files: list[ExportFileRead]) -> ExportRead:
    freezing = row.state is ExportState.FREEZING and row.stage is not None
    return ExportRead(
        progress=ExportProgress(stage=row.stage or "", share=row.share) if freezing else None,
        approvals=approvals,
        files=files or None,
        **row.model_dump(
            include={"id", "profile", "period", "state", "code", "report", "manifest_sha256", "requested_at"}
            | {"frozen_at", "released_at", "withdrawn_at"}
        ),
    )
