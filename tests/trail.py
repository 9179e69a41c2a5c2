"""Looking at the trail as a superuser, and breaking it as one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg.rows import dict_row

from app.audit_check import Findings, verify
from app.key_pairs import AuditKey
from tests.cast import Cast

Superuser = psycopg.Connection[Any]


@dataclass(frozen=True)
class Told:
    """An answer, and the rows that the trail has of its request."""

    answer: httpx.Response
    rows: list[dict[str, Any]]

    @property
    def row(self) -> dict[str, Any]:
        """The only row."""
        assert len(self.rows) == 1, [(one["action"], one["status"]) for one in self.rows]
        return self.rows[0]


async def told(
    superuser: Superuser, client: httpx.AsyncClient, method: str, path: str, *, headers: Any = None, **request: Any
) -> Told:
    """Make a request, and find its rows by its id."""
    request_id = str(uuid4())
    answer = await client.request(method, path, headers={"X-Request-ID": request_id, **(headers or {})}, **request)
    return Told(answer, rows(superuser, "request_id = %s", request_id))


def rows(superuser: Superuser, where: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of the trail in the order of their chains."""
    query = f"select * from audit_events where {where} order by shard, seq"
    with superuser.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()


def heads(superuser: Superuser) -> dict[int, int]:
    """How long each chain is."""
    return dict(superuser.execute("select shard, seq from audit_heads").fetchall())


def tamper(superuser: Superuser, statement: str, *values: Any) -> None:
    """What a superuser does who knows how to step past the trigger."""
    superuser.execute("set session_replication_role = replica")
    assert superuser.execute(statement.encode(), values or None).rowcount != 0
    superuser.execute("set session_replication_role = origin")


def checked(url: str, *keys: AuditKey, **options: Any) -> Findings:
    """What `samaki audit verify` finds."""
    with psycopg.connect(url) as connection:
        return verify(connection, keys, **options)


def places(findings: Findings) -> set[tuple[int | None, int | None]]:
    """Where something is wrong."""
    return {(fault.shard, fault.seq) for fault in findings.faults}


async def read_until_long(cast: Cast, superuser: Superuser, who: str, case_id: str, rows_wanted: int = 6) -> int:
    """Read a case until its chain has so many rows; gives the shard."""
    shard = UUID(case_id).bytes[-1] & 15
    while heads(superuser)[shard] < rows_wanted:
        assert (await cast.client(who).get(f"/cases/{case_id}")).status_code == 200
    return shard
