"""Acting as a person of the demo at a moment of its past, through the services and under the row policies."""

from contextlib import AbstractContextManager
from datetime import datetime
from itertools import count

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.demo.cast import CastIds
from app.demo.draws import DEMO_BLOCK, Draws, code_in
from app.ids import drawn_from
from app.models.codes.people import Language, Role
from app.security import Actor
from app.settings import SetupError


class StoryClock:
    """The moment of the story, for the database and for the services."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Stage:
    """One transaction in which the cast acts."""

    def __init__(self, database: Database, clock: StoryClock, session: AsyncSession, ids: CastIds) -> None:
        self.database, self.clock, self.session, self.ids = database, clock, session, ids

    async def enter(self, username: str, at: datetime) -> Actor:
        """From here on `username` acts, and it is `at`."""
        self.clock.at = at
        own_session = self.ids.sessions[username]
        row = await self.database.begin_request(self.session, own_session)
        if row is None:
            raise SetupError(f"{username} of the demo is not as it was set up; use a new --data-dir")
        return Actor(
            id=row.user_id,
            session_id=own_session,
            username=row.username,
            display_name=row.display_name,
            role=Role(row.role),
            organisation_id=row.organisation_id,
            communes=tuple(row.communes),
            language=Language(row.language),
            now=row.at,
            proved_at=row.at,
        )


def drawn(draws: Draws) -> AbstractContextManager[None]:
    """Within the block every new row gets its id from `draws`, and every case a code of the demo's own block."""
    codes = (code_in(DEMO_BLOCK, number) for number in count())
    return drawn_from(draws.uuid, lambda: next(codes))


# Functions of the database make some ids at random; these follow from what the row says, at every run alike.
SETTLE = (
    """
    update case_exclusions
       set id = overlay(overlay(md5(concat('copy', origin_id, case_id)) placing '4' from 13) placing '8' from 17)::uuid
     where organisation_id = any (:organisations) and id <> origin_id
    """,
    """
    update events
       set id = overlay(overlay(md5(concat(case_id, subject_id, at at time zone 'UTC', data->>'reason'))
                              placing '4' from 13) placing '8' from 17)::uuid
     where type = 'assignment.ended' and organisation_id = any (:organisations)
    """,
    """
    update events
       set id = overlay(overlay(md5(concat(referral_id, type, at at time zone 'UTC')) placing '4' from 13)
                        placing '8' from 17)::uuid
     where referral_id is not null and organisation_id = any (:organisations)
    """,
    """
    update case_flow
       set id = overlay(overlay(md5(concat(case_id, at at time zone 'UTC', kind, enters, commune_code, category))
                              placing '4' from 13) placing '8' from 17)::uuid
     where organisation_id = any (:organisations)
    """,
    "delete from sessions where id = any (:sessions)",
)


def settle(connection: sa.Connection, ids: CastIds) -> None:
    """After the last act: the same ids at every run, and nobody of the cast is signed in any more."""
    values = {"organisations": list(ids.organisations.values()), "sessions": list(ids.sessions.values())}
    for statement in SETTLE:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(sa.text(statement), used)
