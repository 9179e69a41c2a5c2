"""Looks at what is really in the tables after a fault, beside what the writers were told."""

from dataclasses import dataclass

import psycopg

from app.audit_check import verify
from app.keys import load_audit_keys
from tests.drills.place import Place
from tests.drills.writers import Ledger, send
from tests.oracle.stage import wrongly_derived

REPEATED = 20

# An intake is one transaction: each of these is there for every case, or the transaction was torn.
HALF_WRITTEN = """
    select count(*) from cases c where not (
        exists (select from people p where p.id = c.client_id and p.case_id = c.id and p.role = 'client')
        and exists (select from consents s where s.case_id = c.id)
        and exists (select from events e where e.case_id = c.id and e.type = 'case.opened')
        and exists (select from assignments a where a.case_id = c.id and a.role = 'lead' and a.user_id = c.lead_id)
        and exists (select from case_access x join users u on u.principal = x.principal
                     where x.case_id = c.id and u.id = c.lead_id and x.mode = 'write')
        and exists (select from idempotency_keys k
                     where k.actor_id = c.created_by and k.location = '/api/v1/cases/' || c.id)
    ) and c.created_by = any(%s)
"""


@dataclass(frozen=True)
class Kept:
    """What became of the acknowledged cases; all but `acknowledged` should be 0."""

    acknowledged: int
    lost: int
    duplicated: int
    half_written: int
    changed: int
    audit_faults: int

    @property
    def whole(self) -> bool:
        """Nothing lost, doubled, torn, or answered differently when asked again."""
        faults = (self.lost, self.duplicated, self.half_written, self.changed, self.audit_faults)
        return self.acknowledged > 0 and not any(faults)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged:,} acknowledged, lost {self.lost}, duplicated {self.duplicated},"
            f" half-written {self.half_written}, repeats answered otherwise {self.changed},"
            f" {self.audit_faults} faults in the trail"
        )


def audit_faults(place: Place) -> int:
    """What `samaki audit verify` finds wrong in the trail; a trail without a row would prove nothing and is a fault."""
    with psycopg.connect(place.urls.admin) as connection:
        findings = verify(connection, load_audit_keys(place.settings.keys_dir))
    return len(findings.faults) + findings.more + (findings.rows == 0)


async def kept(place: Place, ledger: Ledger) -> Kept:
    """Compare the writers' ledger with the tables, and ask for some of the answers again."""
    ids = set(ledger.acknowledged.values())
    writers = [place.cast.users[place.writers[number]].id for number in set(ledger.owners.values())]
    with place.everything() as admin:
        stored = {str(row[0]) for row in admin.execute("select id from cases where created_by = any(%s)", [writers])}
        # Of earlier drills on this place only what their keys name is known; what no key names was doubled.
        keyed = {
            str(row[0])
            for row in admin.execute(
                "select right(location, 36) from idempotency_keys where actor_id = any(%s) and key <> all(%s)",
                [writers, list(ledger.acknowledged)],
            )
        }
        half = _count(admin, HALF_WRITTEN, writers) + wrongly_derived(admin, place.cast.clock(), sorted(ids))
    return Kept(
        acknowledged=len(ledger.acknowledged),
        lost=len(ids - stored),
        duplicated=len(stored - ids - keyed) + len(ledger.acknowledged) - len(ids),
        half_written=half,
        changed=await _answered_otherwise(place, ledger),
        audit_faults=audit_faults(place),
    )


async def _answered_otherwise(place: Place, ledger: Ledger) -> int:
    """How many of the last acknowledged keys do not give the same id when they are sent again."""
    wrong = 0
    for key in list(ledger.acknowledged)[-REPEATED:]:
        async with place.client(ledger.owners[key]) as client:
            again = await send(client, key, key)
            same = again is not None and again.status_code == 201 and again.json()["id"] == ledger.acknowledged[key]
            wrong += not (same and again and again.headers.get("Idempotency-Replayed") == "true")
    return wrong


def _count(admin: psycopg.Connection, query: str, *values: object) -> int:
    row = admin.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
