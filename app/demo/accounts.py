"""`demo-accounts.json`: usernames and passwords of this installation's demo, readable by its owner alone."""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NotRequired, TypedDict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.demo.cast import CAST, SANDBOX, CastIds
from app.demo.names import ORGANISATIONS
from app.models.user import UserCredential
from app.passwords import hash_password, new_password

FILE = "demo-accounts.json"


class Account(TypedDict):
    """One way to sign in to the demo; `organisation` is its name in English, None for who belongs to none.

    `system`: it signs in with client credentials, `username` as its id and `password` as its secret.
    """

    username: str
    password: str
    role: str
    organisation: str | None
    communes: list[str]
    system: NotRequired[bool]


def read_accounts(data_dir: Path) -> list[Account] | None:
    """The accounts as they were written; None when the file is gone or is not ours."""
    try:
        accounts: list[Account] = json.loads((data_dir / FILE).read_bytes())
        known = [account["username"] for account in accounts] == [one.username for one in (*CAST, SANDBOX)]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return accounts if known else None


def renew_accounts(engine: sa.Engine, data_dir: Path, ids: CastIds) -> list[Account]:
    """Give every account a new password and write the file; the old one goes first, so that none is wrong."""
    (data_dir / FILE).unlink(missing_ok=True)
    names = {one.key: one.name.en for one in ORGANISATIONS}
    accounts = [
        Account(
            username=member.username,
            password=new_password(),
            role=member.role.value,
            organisation=names[member.organisation] if member.organisation else None,
            communes=list(member.communes),
        )
        for member in (*CAST, SANDBOX)
    ]
    accounts[-1]["system"] = True
    with engine.begin() as connection:
        _set_passwords(connection, accounts, ids)
    _write(data_dir / FILE, json.dumps(accounts, ensure_ascii=False, indent=2) + "\n")
    return accounts


def _set_passwords(connection: sa.Connection, accounts: Sequence[Account], ids: CastIds) -> None:
    hashes = asyncio.run(_hashes([account["password"] for account in accounts]))
    rows = [
        UserCredential(user_id=ids.users[account["username"]], password_hash=stored, changed_at=datetime.now(UTC))
        for account, stored in zip(accounts, hashes, strict=True)
    ]
    statement = insert(UserCredential)
    new = {name: statement.excluded[name] for name in ("password_hash", "changed_at")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_=new),
        [row.model_dump() for row in rows],
    )


async def _hashes(passwords: Sequence[str]) -> list[str]:
    return await asyncio.gather(*(hash_password(password) for password in passwords))


def _write(path: Path, content: str) -> None:
    """Put `content` at `path` whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # left by a start that was cut off
    with open(draft, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
