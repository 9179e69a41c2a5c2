"""Do keys and data belong together, and wrapping every data key with a newer key while the API serves."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import psycopg

from app.schema import connected
from app.sealing.data_key import new_key
from app.sealing.key_encryption import LocalKeys, SealBroken
from app.settings import SetupError

CHECK_HOME = UUID(int=0)  # of no row: what is wrapped for it opens nothing
AT_ONCE = 500  # data keys of one transaction: none of them is locked for longer than some milliseconds

KNOWN = "select kek_id, wrapped from vault.key_checks"
MARK = "insert into vault.key_checks (kek_id, wrapped) values (%s, %s) on conflict do nothing"
LEFT = "select count(*) from vault.data_keys where kek_id <> %s"
SOME = """
    select home, kek_id, wrapped from vault.data_keys where home > %s and kek_id <> %s
     order by home limit %s for update skip locked
"""
REWRAP = "update vault.data_keys set kek_id = %s, wrapped = %s where home = %s"


def check_keys(url: str, kek: LocalKeys) -> None:
    """Refuse keys that are not those of this database; mark it with the newest. `url`: API's or worker's role.

    Raises SetupError: data sealed with one key and served with another would look lost, and new data would be.
    """
    with connected(url) as connection:
        for kek_id, wrapped in connection.execute(KNOWN).fetchall():
            try:
                kek.unwrap(kek_id, bytes(wrapped), CHECK_HOME)
            except SealBroken:
                raise SetupError(
                    f"the key-encryption key {kek_id} of this database is not here: these are another installation's"
                    " keys, or a key file is missing; restore the keys backup"
                ) from None
        connection.execute(MARK, [kek.current, kek.wrap(new_key(), CHECK_HOME)])


def needs_rewrapping(url: str, kek: LocalKeys) -> bool:
    """Was an earlier rotation cut off? `url`: the worker's role."""
    with connected(url) as connection:
        return _left(connection, kek) > 0


def rotate(url: str, kek: LocalKeys, progress: Callable[[int, int], None]) -> int:
    """Wrap every data key with the newest key; returns how many. `url`: the worker's role.

    Each step is a transaction of its own, so it may be cut off at any time and goes on at the next call; keys that
    other processes still make with an older key meanwhile are taken too. `progress` gets done and total.
    """
    check_keys(url, kek)
    done = 0
    with connected(url) as connection:
        while left := _left(connection, kek):
            for number in _one_pass(connection, kek):
                done, left = done + number, max(left - number, 0)
                progress(done, done + left)
    return done


def _left(connection: psycopg.Connection, kek: LocalKeys) -> int:
    with connection.transaction():
        row = connection.execute(LEFT, [kek.current]).fetchone()
    return row[0] if row else 0


def _one_pass(connection: psycopg.Connection, kek: LocalKeys) -> Iterator[int]:
    """From the first home to the last, so that what is done is not walked through again; what somebody holds just
    then, or makes behind our back, is left to the next pass."""
    home = CHECK_HOME
    while True:
        with connection.transaction():
            rows = connection.execute(SOME, [home, kek.current, AT_ONCE]).fetchall()
            _rewrap(connection, kek, rows)
        if not rows:
            return
        home = rows[-1][0]
        yield len(rows)


def _rewrap(connection: psycopg.Connection, kek: LocalKeys, rows: Sequence[tuple[UUID, str, bytes]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            REWRAP,
            [(kek.current, kek.wrap(kek.unwrap(old, bytes(key), home), home), home) for home, old, key in rows],
        )
