"""Do restored keys open restored rows: every data key is unwrapped, and rows of every sealed column are opened."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from psycopg import sql

from app.backup.contents import Connection
from app.backup.manifest import BackupError
from app.sealing.chunks import CHUNK, open_chunk
from app.sealing.data_key import DataKey
from app.sealing.key_encryption import KeyEncryption, SealBroken

EACH = 50
BATCH = 5_000

# Table, column, and what its blobs are bound to. A test finds columns that are missing here.
SEALED = {
    ("actions", "sealed"): "actions",
    ("assessments", "sealed"): "assessments",
    ("assignments", "sealed"): "assignments",
    ("assistance_disbursements", "sealed"): "assistance_disbursements",
    ("assistance_requests", "sealed"): "assistance_requests",
    ("attachments", "sealed"): "attachments",
    ("break_glass_grants", "sealed"): "break_glass_grants",
    ("break_glass_grants", "review_sealed"): "break_glass_grants.review",
    ("case_exclusions", "sealed"): "case_exclusions",
    ("case_exclusions", "lift_sealed"): "case_exclusions.lift",
    ("cases", "sealed"): "cases",
    ("commitments", "sealed"): "commitments",
    ("consents", "sealed"): "consents",
    ("disclosures", "sealed"): "disclosures",
    ("erasure_requests", "sealed"): "erasure_requests",
    ("events", "sealed"): "events",
    ("export_cohorts", "sealed"): "export_cohorts",
    ("feedback", "sealed"): "feedback",
    ("follow_ups", "sealed"): "follow_ups",
    ("health_records", "sealed"): "health_records",
    ("households", "sealed"): "households",
    ("import_chunks", "sealed"): "import_chunks",
    ("import_chunks", "report_sealed"): "import_chunks.report",
    ("incidents", "sealed"): "incidents",
    ("legal_holds", "sealed"): "legal_holds",
    ("notes", "sealed"): "notes",
    ("outside_reviews", "sealed"): "outside_reviews",
    ("people", "sealed"): "people",
    ("referrals", "sealed"): "referrals",
    ("referrals", "open_sealed"): "referrals.open",
    ("referral_messages", "sealed"): "referral_messages",
    ("referral_snapshots", "sealed"): "referral_snapshots",
    ("referral_snapshots", "contact_sealed"): "referral_snapshots.contact",
    ("risk_changes", "sealed"): "risk_changes",
    ("safety_plans", "sealed"): "safety_plans",
    ("screening_matches", "sealed"): "screening_matches",
    ("transfers", "sealed"): "transfers",
    ("transfers", "snapshot_sealed"): "transfers.snapshot",
    ("transfers", "answer_sealed"): "transfers.answer",
    ("whereabouts", "sealed"): "whereabouts",
}
# Rows that are a home of their own although they belong to a case.
OWN_HOMES = {"attachments", "health_records", "referral_snapshots", "transfers", "whereabouts"}
# Of these rows only one blob is: the others of the same row are at home in the case.
OWN_KEYS = {"referrals.open"}
# Rows that are at home in another row, which this column names.
HOMES = {"import_chunks": "import_id", "referral_messages": "snapshot_id"}
# Sealed with the root secret (app/sealed_secret.py), which the manifest's keyed hash proves to be the right one.
BY_THE_ROOT = {("user_private", "sealed"), ("webhooks", "sealed"), ("webhooks", "previous_sealed")}
KEYS = "select home, kek_id, wrapped from vault.data_keys"
COLUMNS = "select column_name from information_schema.columns where table_schema = 'public' and table_name = %s"
# From a random place on, and from the first: ids are random, so this is a sample without looking at every row.
SOME = """
    (select t.id, {home}, t.{column} from {table} t where t.{column} is not null and t.id >= gen_random_uuid()
      order by t.id limit {each})
    union
    (select t.id, {home}, t.{column} from {table} t where t.{column} is not null order by t.id limit {each})
"""

# The first and the last part of some files: what is cut off the end does not open.
CHUNKS = """
    select a.id, a.size, c.number, c.content
      from (select t.id, t.size from public.attachments t order by t.id limit %s) a
      join public.attachment_chunks c on c.attachment_id = a.id and c.number in (0, (a.size - 1) / %s)
"""


def open_all_keys(connection: Connection, kek: KeyEncryption) -> int:
    """Unwrap every data key; returns how many there are. Raises BackupError."""
    done = 0
    with connection.cursor("data_keys") as cursor:
        cursor.itersize = BATCH
        for home, kek_id, wrapped in cursor.execute(KEYS):
            _unwrapped(kek, home, kek_id, wrapped)
            done += 1
    return done


def open_some_rows(connection: Connection, kek: KeyEncryption) -> dict[str, int]:
    """Open rows of every sealed column; returns how many of which. Raises BackupError at the first that stays shut."""
    opened = {}
    for (table, column), bound_to in SEALED.items():
        names = {name for (name,) in connection.execute(COLUMNS, [table])}
        if column in names:
            in_case = "case_id" in names and bound_to not in OWN_KEYS and table not in OWN_HOMES | HOMES.keys()
            opened[bound_to] = _open(connection, kek, bound_to, _some(connection, table, column, in_case=in_case))
    if connection.execute(COLUMNS, ["attachment_chunks"]).fetchone() is not None:
        opened["attachment_chunks"] = _open_chunks(connection, kek)
    return opened


def _open_chunks(connection: Connection, kek: KeyEncryption) -> int:
    opened = 0
    for own_id, size, number, content in connection.execute(CHUNKS, [EACH, CHUNK]).fetchall():
        key = connection.execute(f"{KEYS} where home = %s".encode(), [own_id]).fetchone()
        if key is None:
            continue
        try:
            open_chunk(DataKey(_unwrapped(kek, *key), own_id), own_id, number, bytes(content), size=size)
        except SealBroken:
            raise BackupError(f"a part of an attachment cannot be opened with its key: {own_id}") from None
        opened += 1
    return opened


def _some(connection: Connection, table: str, column: str, *, in_case: bool) -> list[Any]:
    # An intake's client is at home in its case, a participant in the register is a home of its own.
    home = (
        sql.SQL("coalesce(t.case_id, t.id)")
        if in_case
        else sql.SQL("t.{}").format(sql.Identifier(HOMES.get(table, "id")))
    )
    query = sql.SQL(SOME).format(
        home=home, column=sql.Identifier(column), table=sql.Identifier("public", table), each=sql.Literal(EACH // 2)
    )
    return connection.execute(query).fetchall()


def _open(connection: Connection, kek: KeyEncryption, bound_to: str, rows: Iterable[Any]) -> int:
    opened = 0
    for row_id, home, blob in rows:
        key = connection.execute(f"{KEYS} where home = %s".encode(), [home]).fetchone()
        if key is None:
            continue  # erased: its rows stay shut for ever
        try:
            DataKey(_unwrapped(kek, *key), home).open(bound_to, row_id, bytes(blob))
        except SealBroken:
            raise BackupError(f"a row of {bound_to} cannot be opened with its key: {row_id}") from None
        opened += 1
    return opened


def _unwrapped(kek: KeyEncryption, home: UUID, kek_id: str, wrapped: bytes) -> bytes:
    try:
        return kek.unwrap(kek_id, bytes(wrapped), home)
    except SealBroken:
        raise BackupError(f"a data key cannot be unwrapped with the key-encryption key {kek_id}: {home}") from None
