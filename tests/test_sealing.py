"""Nothing that a client told is readable in the tables, and no blob opens anywhere but in its own place."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.keys import UnusableKey
from app.sealing import KeyRing
from app.sealing.data_key import DataKey, new_key
from app.sealing.key_encryption import LocalKeys, SealBroken, key_encryption
from app.security import Runtime
from app.settings import Settings
from tests.cases import intake, open_case
from tests.cast import Cast, answered

Superuser = psycopg.Connection[Any]
MARKER = "Zq7marker"
PHONE = "012739154"  # of no service of the directory, whose numbers are public
TOLD = (MARKER, MARKER.encode().hex(), PHONE[1:], "1987-06-05")

documents = st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))


@settings(max_examples=200)
@given(document=documents, table=st.sampled_from(["cases", "people"]), row_id=st.uuids(), home=st.uuids())
def test_what_was_sealed_opens_as_it_was(document: dict[str, Any], table: str, row_id: UUID, home: UUID) -> None:
    key = DataKey(new_key(), home)
    blob = key.seal(table, row_id, document)
    assert key.open(table, row_id, blob) == json.loads(json.dumps(document))
    assert key.seal(table, row_id, document) != blob, "two blobs of one text must not be the same"


@settings(max_examples=300)
@given(data=st.data())
def test_an_altered_blob_does_not_open(data: st.DataObject) -> None:
    row_id, home = uuid4(), uuid4()
    key = DataKey(new_key(), home)
    blob = bytearray(key.seal("notes", row_id, {"text": MARKER}))
    place = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[place // 8] ^= 1 << place % 8
    with pytest.raises(SealBroken):
        key.open("notes", row_id, bytes(blob))
    cut = data.draw(st.integers(0, len(blob) - 1))
    with pytest.raises(SealBroken):
        key.open("notes", row_id, bytes(blob[:cut]))


@pytest.mark.parametrize("wrong", ["key", "table", "row", "home"])
def test_a_blob_opens_in_its_own_place_only(wrong: str) -> None:
    secret, row_id, home = new_key(), uuid4(), uuid4()
    blob = DataKey(secret, home).seal("notes", row_id, {"text": MARKER})
    opener = DataKey(new_key() if wrong == "key" else secret, uuid4() if wrong == "home" else home)
    with pytest.raises(SealBroken):
        opener.open("events" if wrong == "table" else "notes", uuid4() if wrong == "row" else row_id, blob)


def test_a_wrapped_key_serves_its_own_home_and_key_encryption_key_only() -> None:
    kek, home, secret = LocalKeys([new_key()]), uuid4(), new_key()
    wrapped = kek.wrap(secret, home)
    assert kek.unwrap(kek.current, wrapped, home) == secret
    for kek_id, blob, place in (
        (kek.current, wrapped, uuid4()),
        (kek.current, wrapped[:-1] + bytes([wrapped[-1] ^ 1]), home),
        (kek.current, b"", home),
        ("0" * 16, wrapped, home),
    ):
        with pytest.raises(SealBroken):
            kek.unwrap(kek_id, blob, place)
    with pytest.raises(SealBroken):
        LocalKeys([new_key()]).unwrap(kek.current, wrapped, home)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "A" * 43 + "=", "not base64!", "é"])
def test_a_key_that_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UnusableKey) as refused:
        key_encryption(Settings(key_encryption_keys=text + ","))
    assert "SAMAKI_KEY_ENCRYPTION_KEYS" in str(refused.value)
    assert not text or text not in str(refused.value)


async def _everything(cast: Cast) -> str:
    """A case with the marker in every field that a person writes; gives its id."""
    worker = cast.client("caseworker")
    names = ("alias", "known_as", "family_name_km", "given_name_km", "family_name_en", "given_name_en", "address")
    client = {**dict.fromkeys(names, MARKER), "phones": [{"number": PHONE}], "birth_date": "1987-06-05"}
    contact = {"may_answer": f"Auntie {MARKER[::-1]}", "code_phrase": MARKER}  # who hurt her is nobody's contact
    incident = {"note": MARKER, "perpetrators": [{"names": [MARKER], "phones": [PHONE]}]}
    excluded = [cast.id("colleague")]
    body = intake("domestic_violence", client=client, summary=MARKER, safe_contact=contact, incident=incident)
    case_id: str = answered(await worker.post("/cases", json={**body, "excluded_user_ids": excluded}), 201)["id"]
    case = f"/cases/{case_id}"
    answered(await worker.post(f"{case}/notes", json={"text": MARKER}), 201)
    answered(await worker.post(f"{case}/people", json={"role": "child", "alias": MARKER, "address": MARKER}), 201)
    texts = ("name", "address", "contact", "known_to", "note")
    hidden = {"kind": "other", "phone": PHONE, **dict.fromkeys(texts, MARKER)}
    first = {"If-None-Match": "*"}
    answered(await worker.put(f"{case}/whereabouts", json=hidden, headers=first), 201)
    assert (await worker.get(f"{case}/whereabouts?reason_code=contact")).text.count(MARKER) == len(texts)
    weeks = {"basis": MARKER, "note": MARKER}
    answered(await worker.put(f"{case}/health", json=weeks, headers=first), 201)
    paper = {"file": (f"{MARKER}.txt", f"{MARKER} {PHONE}".encode())}
    answered(await worker.post(f"{case}/attachments", files=paper), 201)
    given = {"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}
    consent = answered(await worker.post(f"{case}/consents", json=given), 201)
    answered(await worker.post(f"{case}/consents/{consent['id']}/withdraw", json={"reason": MARKER}), 200)
    stub = cast.client("supervisor")
    reviewer = {"user_id": cast.id("supervisor"), "role": "reviewer", "reason": MARKER}
    answered(await stub.post(f"{case}/assignments", json=reviewer), 201)
    exclusion = {"user_id": cast.id("liaison"), "reason_code": "client_wish", "note": MARKER}
    made = answered(await stub.post(f"{case}/exclusions", json=exclusion), 201)
    answered(await stub.post(f"{case}/exclusions/{made['id']}/lift", json={"reason": MARKER}), 200)
    person = {"alias": MARKER, "address": MARKER, "phones": [{"number": PHONE}]}
    answered(await worker.post("/people", json=person), 201)
    answered(await worker.post("/households", json={"equity_card_number": MARKER}), 201)
    closure = {"reason": "declined", "summary": MARKER, "informed_can_return": True}
    step = {"to": "closed", "reason": MARKER, "closure": closure}
    answered(await worker.post(f"{case}/transitions", json=step), 200)
    read = (await worker.get(case)).text + (await worker.get(f"{case}/timeline")).text
    assert read.count(MARKER) >= 5, "the marker must be readable for who may read"
    return case_id


async def test_no_word_of_a_client_stands_in_a_table_or_in_the_log(
    cast: Cast, superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    await _everything(cast)
    query = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'vault')"
    found = []
    for (table,) in superuser.execute(query).fetchall():
        for (row,) in superuser.execute(f"select t::text from {table} t"):
            found += [(table, told) for told in TOLD if told in row]
    assert found == []
    assert MARKER not in capsys.readouterr().out


Tamper = Callable[[Superuser, str, str], None]


def _flip(connection: Superuser, one: str, _: str) -> None:
    flipped = "set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
    connection.execute(f"update cases set sealed = {flipped} where id = %s", [one])


def _move(connection: Superuser, one: str, other: str) -> None:
    moved = "update cases set sealed = (select sealed from cases where id = %s) where id = %s"
    connection.execute(moved, [other, one])


def _move_key(connection: Superuser, one: str, other: str) -> None:
    key = "(select wrapped from vault.data_keys where home = %s)"
    connection.execute(f"update vault.data_keys set wrapped = {key} where home = %s", [other, one])


def _empty(connection: Superuser, one: str, _: str) -> None:
    connection.execute("update cases set sealed = '' where id = %s", [one])


@pytest.mark.parametrize("tamper", [_flip, _move, _move_key, _empty])
async def test_a_tampered_case_is_unavailable_and_rings_an_alarm(
    cast: Cast, superuser: Superuser, tamper: Tamper, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = await open_case(cast), await open_case(cast)
    tamper(superuser, one, other)
    for method, path, body in (
        ("GET", f"/cases/{one}", None),
        ("POST", f"/cases/{one}/transitions", {"to": "assessment"}),
    ):
        refused = await cast.client("caseworker").request(method, path, json=body)
        assert answered(refused, 503)["code"] == "unavailable"
        assert refused.headers["Retry-After"]
    assert '"event": "seal.broken"' in capsys.readouterr().out
    alarms = "select count(*) from audit_events where reason = 'seal_broken' and status = 503 and case_ids = %s::uuid[]"
    assert superuser.execute(alarms, [[one]]).fetchone() == (2,)
    answered(await cast.client("caseworker").get(f"/cases/{other}"), 200)
    _take_away(superuser, one)  # or every list of hers stays unavailable


async def test_a_case_whose_key_is_gone_is_gone(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    superuser.execute("delete from vault.data_keys where home = %s", [case_id])
    worker = cast.client("caseworker")
    for path in ("", "/notes", "/timeline", "/people", "/incidents"):
        answered(await worker.get(f"/cases/{case_id}{path}"), 404)
    listed = answered(await worker.get("/cases?limit=200"), 200)["items"]
    assert case_id not in {case["id"] for case in listed}
    _take_away(superuser, case_id)


def _take_away(superuser: Superuser, case_id: str) -> None:
    """Key and access together, as an erasure does: counts come from the access and would still hold the case."""
    superuser.execute("delete from vault.data_keys where home = %s", [case_id])
    superuser.execute("delete from case_access where case_id = %s", [case_id])


async def test_every_case_and_every_row_of_a_register_has_a_key_of_its_own(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    person = answered(await cast.client("caseworker").post("/people", json={"alias": "One"}), 201)["id"]
    household = answered(await cast.client("caseworker").post("/households", json={}), 201)["id"]
    homes = [case_id, person, household]
    keys = "select count(distinct wrapped), count(case_id) from vault.data_keys where home = any (%s::uuid[])"
    assert superuser.execute(keys, [homes]).fetchone() == (3, 1)


def test_a_ring_without_the_key_opens_nothing(runtime: Runtime) -> None:
    ring = KeyRing(runtime.kek)
    ring.make(home := uuid4())
    blob = ring.seal("notes", home, home, {"text": MARKER})
    with pytest.raises(Exception, match="unavailable"):
        KeyRing(runtime.kek).open("notes", home, home, blob)
