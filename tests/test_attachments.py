"""Attachments: who works on the case sends and reads them, for what they are, and nobody else comes near."""

import os
import struct
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from PIL import Image, PngImagePlugin
from starlette.types import Message

from app.database_urls import DatabaseUrls
from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS
from app.relations import Relation
from app.sealing.chunks import CHUNK
from app.security import Runtime
from app.services import attachment_content
from app.uploads.receiving import MOST_BYTES
from tests.acts import SENSITIVE, assign, break_glass, exclude, without_instance
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.trail import Superuser, rows, told

GPS_MARK, COMMENT_MARK = "Zq8-GPS-13.36N-103.85E", "Zq8-comment"
PDF = b"%PDF-1.7\n"


def paper(size: int) -> bytes:
    """Something that counts as a PDF, of so many bytes, none like the other."""
    return PDF + os.urandom(size - len(PDF))


async def sends(cast: Cast, who: str, case_id: str, name: str, content: bytes, status: int = 201) -> Any:
    """How somebody who sends a file is answered."""
    path = f"/cases/{case_id}/attachments"
    return answered(await cast.client(who).post(path, files={"file": (name, content)}), status)


async def content_of(cast: Cast, who: str, made: Any, status: int = 200, **headers: str) -> httpx.Response:
    """The answer to who asks for a file itself."""
    path = f"/cases/{made['case_id']}/attachments/{made['id']}/content"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await cast.client(who).get(path, headers=sent)
    assert response.status_code == status, response.status_code
    return response


@pytest.fixture
async def case_id(cast: Cast) -> str:
    return await open_case(cast, category=SENSITIVE)


# What is kept, and how it is read again.


@pytest.mark.parametrize("size", [9, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 17])
async def test_what_was_sent_comes_back_byte_for_byte(cast: Cast, case_id: str, size: int) -> None:
    sent = paper(size)
    made = await sends(cast, "caseworker", case_id, "លិខិត ១.pdf", sent)
    assert (made["name"], made["media_type"], made["size"]) == ("លិខិត ១.pdf", "application/pdf", size)
    read = await content_of(cast, "caseworker", made)
    assert read.content == sent
    headers = read.headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E1%9E%9B")
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert (headers["Accept-Ranges"], headers["Content-Length"]) == ("bytes", str(size))


async def test_the_list_and_the_one_tell_the_same_and_the_place_is_told(cast: Cast, case_id: str) -> None:
    worker, path = cast.client("caseworker"), f"/cases/{case_id}/attachments"
    made = await worker.post(path, files={"file": ("a.txt", "សំបុត្រ\n".encode())})
    first = answered(made, 201)
    assert made.headers["Location"] == f"/api/v1{path}/{first['id']}"
    one = await worker.get(f"{path}/{first['id']}")
    assert (answered(one, 200), one.headers["ETag"]) == (first, '"1"')
    second = await sends(cast, "caseworker", case_id, "b.txt", b"Second.")
    listed = answered(await worker.get(path), 200)
    assert sorted(item["id"] for item in listed["items"]) == sorted([first["id"], second["id"]])
    assert first in listed["items"]
    assert answered(await worker.get(path, params={"limit": 1}), 200)["next_cursor"]


async def test_removing_destroys_content_and_key(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    made = await sends(cast, "caseworker", case_id, "a.pdf", paper(3 * CHUNK))
    path = f"/cases/{case_id}/attachments/{made['id']}"
    answered(await cast.client("caseworker").delete(path), 428)
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": '"2"'}), 412)
    left = (
        "select (select count(*) from attachment_chunks where attachment_id = %(id)s)::int,"
        " (select count(*) from vault.data_keys where home = %(id)s)::int"
    )
    assert superuser.execute(left, {"id": made["id"]}).fetchone() == (3, 1)
    gone = await cast.client("caseworker").delete(path, headers={"If-Match": '"1"'})
    assert gone.status_code == 204
    assert superuser.execute(left, {"id": made["id"]}).fetchone() == (0, 0)
    answered(await cast.client("caseworker").get(path), 404)
    await content_of(cast, "caseworker", made, 404)


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=0-99", 206, 0, 99),
        (f"bytes={CHUNK - 5}-{CHUNK + 5}", 206, CHUNK - 5, CHUNK + 5),
        (f"bytes={CHUNK}-", 206, CHUNK, 3 * CHUNK + 9),
        ("bytes=-1", 206, 3 * CHUNK + 9, 3 * CHUNK + 9),
        ("bytes=-99999999", 206, 0, 3 * CHUNK + 9),
        ("bytes=10-99999999", 206, 10, 3 * CHUNK + 9),
        ("bytes=5-3", 200, 0, 3 * CHUNK + 9),
        ("bytes=0-1,5-6", 200, 0, 3 * CHUNK + 9),
        ("pages=1-2", 200, 0, 3 * CHUNK + 9),
        ("bytes=-", 200, 0, 3 * CHUNK + 9),
        ("bytes=1e3-", 200, 0, 3 * CHUNK + 9),
        (f"bytes={'9' * 100}-", 200, 0, 3 * CHUNK + 9),
    ],
)
async def test_a_download_goes_on_where_it_was_cut_off(
    cast: Cast, case_id: str, asked: str, status: int, first: int, last: int
) -> None:
    size = 3 * CHUNK + 10
    sent = paper(size)
    made = await sends(cast, "caseworker", case_id, "a.pdf", sent)
    read = await content_of(cast, "caseworker", made, status, Range=asked)
    assert read.content == sent[first : last + 1]
    assert read.headers["Content-Length"] == str(last + 1 - first)
    if status == 206:
        assert read.headers["Content-Range"] == f"bytes {first}-{last}/{size}"


@pytest.mark.parametrize("asked", ["bytes=9-", "bytes=9-20", "bytes=-0"])
async def test_a_range_of_nothing_is_refused_with_the_size(cast: Cast, case_id: str, asked: str) -> None:
    made = await sends(cast, "caseworker", case_id, "a.pdf", PDF)
    refused = await content_of(cast, "caseworker", made, 416, Range=asked)
    assert (refused.headers["Content-Range"], refused.json()["code"]) == ("bytes */9", "range_not_satisfiable")


async def test_only_the_same_file_is_gone_on_with(cast: Cast, case_id: str) -> None:
    made = await sends(cast, "caseworker", case_id, "a.pdf", paper(100))
    tag = (await content_of(cast, "caseworker", made)).headers["ETag"]
    assert len((await content_of(cast, "caseworker", made, 206, Range="bytes=90-", If_Range=tag)).content) == 10
    assert len((await content_of(cast, "caseworker", made, 200, Range="bytes=90-", If_Range='"other"')).content) == 100


# What may be sent.


def photograph(form: str, size: tuple[int, int] = (60, 40), orientation: int = 6) -> bytes:
    """A picture with everything in it that says where it was taken."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = GPS_MARK, orientation
    exif.get_ifd(0x8825)[0x001D] = GPS_MARK
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", COMMENT_MARK)
    texts.add_itxt("XML:com.adobe.xmp", COMMENT_MARK)
    more: dict[str, Any] = {"JPEG": {"comment": COMMENT_MARK, "quality": 95}, "PNG": {"pnginfo": texts}, "WEBP": {}}
    taken = BytesIO()
    image.save(taken, form, exif=exif, **more[form])
    made = taken.getvalue()
    if form == "JPEG":  # XMP, and a thumbnail or whatever else a telephone hangs on
        xmp = b"http://ns.adobe.com/xap/1.0/\0" + COMMENT_MARK.encode()
        made = made[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + made[2:] + COMMENT_MARK.encode()
    return made


@pytest.mark.parametrize(("form", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
async def test_a_photograph_no_longer_says_where_it_was_taken(
    cast: Cast, case_id: str, superuser: Superuser, form: str, ending: str
) -> None:
    taken = photograph(form)
    marks = [GPS_MARK.encode(), COMMENT_MARK.encode()]
    assert any(mark in taken for mark in marks)
    made = await sends(cast, "caseworker", case_id, f"house.{ending}", taken)
    kept = (await content_of(cast, "caseworker", made)).content
    assert made["size"] == len(kept)
    for mark in (*marks, b"Exif", b"GPS", b"adobe"):
        assert mark not in kept
    with Image.open(BytesIO(kept)) as image:
        assert (image.format, image.size) == (form, (40, 60)), "upright, although nothing says so any more"
        assert not image.getexif()
        pixel = image.convert("RGB").getpixel((20, 5))
        assert isinstance(pixel, tuple)
        assert (pixel[2] > 200, pixel[0] < 60) == (True, True)
    query = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'vault')"
    for (table,) in superuser.execute(query).fetchall():
        for (row,) in superuser.execute(f"select t::text from {table} t"):
            for mark in marks:
                assert mark.decode() not in row, table
                assert mark.hex() not in row, table
            assert f"house.{ending}" not in row, table


async def test_what_is_seen_stays_as_it_was(cast: Cast, case_id: str) -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        drawn = BytesIO()
        image = Image.radial_gradient("L").resize((90, 60)).convert(mode)
        if mode in {"LA", "RGBA"}:
            image.putalpha(Image.linear_gradient("L").resize((90, 60)))
        image.save(drawn, "PNG")
        made = await sends(cast, "caseworker", case_id, "drawn.png", drawn.getvalue())
        kept = Image.open(BytesIO((await content_of(cast, "caseworker", made)).content))
        assert kept.convert("RGBA").tobytes() == image.convert("RGBA").tobytes(), mode


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


def moving() -> bytes:
    frames = BytesIO()
    first, second = (Image.new("RGB", (9, 9), colour) for colour in ("red", "blue"))
    first.save(frames, "PNG", save_all=True, append_images=[second])
    return frames.getvalue()


TAKEN = photograph("JPEG")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("bomb.png", bomb(100_000, 100_000), "image_too_large"),
        ("bomb.png", bomb(7_100, 7_100), "image_too_large"),
        ("broken.png", bomb(3_000, 3_000), "image_broken"),
        ("cut.jpg", TAKEN[: len(TAKEN) // 2], "image_broken"),
        ("noise.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "image_broken"),
        ("moving.png", moving(), "image_moving"),
        ("photograph.pdf", TAKEN, "content_is_not_its_name"),
        ("photograph.png", TAKEN, "content_is_not_its_name"),
        ("letter.jpg", b"Just words.", "content_is_not_its_name"),
        ("page.html", b"<script>alert(1)</script>", "content_is_not_its_name"),
        ("letter.pdf.exe", PDF + b"words", "content_is_not_its_name"),
        ("empty.txt", b"", "empty"),
        ("../../\u202egpj.txt", b"Words.", "text_direction_override"),
        ("x" * 201 + ".txt", b"Words.", "text_too_long"),
    ],
)
async def test_what_is_not_what_it_says_is_refused(
    cast: Cast, case_id: str, name: str, content: bytes, code: str
) -> None:
    refused = await sends(cast, "caseworker", case_id, name, content, 422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/file", code)]
    await sends(cast, "stranger", case_id, name, content, 404)
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}/attachments"), 200)["items"] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.docx", b"PK\x03\x04" + bytes(500)),
        ("photograph.jpg", b"PK\x03\x04" + bytes(500)),
        ("letter.pdf", b"MZ\x90\x00" + bytes(500)),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(500)),
        ("picture.gif", b"GIF89a" + bytes(500)),
        ("letter.txt", b"Words, and then \x00."),
        ("letter.txt", "Words".encode("utf-16")),
        ("letter.txt", b"Words " * 50_000 + b"\xff"),
        ("letter.txt", "ក".encode()[:2]),
    ],
)
async def test_what_nobody_may_attach_is_refused_whatever_its_name(
    cast: Cast, case_id: str, name: str, content: bytes
) -> None:
    assert (await sends(cast, "caseworker", case_id, name, content, 415))["code"] == "unsupported_media_type"
    await sends(cast, "stranger", case_id, name, content, 404)


async def test_a_name_with_a_path_or_without_an_ending_is_a_name(cast: Cast, case_id: str) -> None:
    for sent, kept in (("C:\\Users\\dara\\a.txt", "a.txt"), ("/home/b.TXT", "b.TXT"), ("letter", "letter")):
        assert (await sends(cast, "caseworker", case_id, sent, b"Words."))["name"] == kept


BOUNDARY = b"zzz"
FORM = {"Content-Type": "multipart/form-data; boundary=zzz"}
PART = b'--zzz\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nWords.\r\n'
FIELD = b'--zzz\r\nContent-Disposition: form-data; name="note"\r\n\r\nWords.\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--zzz--\r\n",
        PART,
        PART[:-4],
        PART + PART + b"--zzz--\r\n",
        PART + FIELD + b"--zzz--\r\n",
        FIELD + PART + b"--zzz--\r\n",
        FIELD + b"--zzz--\r\n",
        PART.replace(b'filename="a.txt"', b'filename=""') + b"--zzz--\r\n",
        PART.replace(b'; filename="a.txt"', b"") + b"--zzz--\r\n",
        PART.replace(b'name="file"; ', b"") + b"--zzz--\r\n",
        PART.replace(b"a.txt", b"\xff\xfe.txt") + b"--zzz--\r\n",
        PART.replace(b"Content-Disposition", b"X-" + b"y" * 9_000) + b"--zzz--\r\n",
        PART.replace(b"zzz", b"other") + b"--other--\r\n",
        b"{}",
        os.urandom(3_000),
    ],
)
async def test_anything_but_one_file_is_refused_and_leaves_nothing(cast: Cast, case_id: str, body: bytes) -> None:
    path = f"/cases/{case_id}/attachments"
    refused = await cast.client("caseworker").post(path, content=body, headers=FORM)
    assert answered(refused, 422)["code"] == "validation_failed"
    answered(await cast.client("stranger").post(path, content=body, headers=FORM), 404)
    assert answered(await cast.client("caseworker").get(path), 200)["items"] == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/mixed; boundary=zzz", ""])
async def test_a_body_of_another_kind_is_refused(cast: Cast, case_id: str, kind: str) -> None:
    headers = {"Content-Type": kind}
    refused = await cast.client("caseworker").post(
        f"/cases/{case_id}/attachments", content=PART + b"--zzz--\r\n", headers=headers
    )
    answered(refused, 415)


async def test_a_boundary_that_is_none_is_malformed(cast: Cast, case_id: str) -> None:
    for boundary in ("", "; boundary=", f"; boundary={'z' * 300}"):
        headers = {"Content-Type": f"multipart/form-data{boundary}"}
        path = f"/cases/{case_id}/attachments"
        answered(await cast.client("caseworker").post(path, content=PART + b"--zzz--\r\n", headers=headers), 422)


# How much.


def form_of(content: bytes, name: str = "a.pdf") -> bytes:
    """A body with one file in it."""
    head = f'--zzz\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--zzz--\r\n"


async def in_parts(body: bytes) -> AsyncIterator[bytes]:
    """The body without a length."""
    for start in range(0, len(body), 60_000):
        yield body[start : start + 60_000]


async def test_twenty_megabytes_are_kept_and_one_byte_more_is_not(cast: Cast, case_id: str) -> None:
    sent = paper(MOST_BYTES)
    made = await sends(cast, "caseworker", case_id, "a.pdf", sent)
    assert (await content_of(cast, "caseworker", made)).content == sent
    refused = await sends(cast, "caseworker", case_id, "a.pdf", sent + b"x", 413)
    assert refused["code"] == "payload_too_large"


@pytest.mark.parametrize("announced", [True, False])
async def test_twenty_one_megabytes_are_cut_off(cast: Cast, case_id: str, announced: bool) -> None:
    path, body = f"/cases/{case_id}/attachments", form_of(paper(21_000_000))
    sent = body if announced else in_parts(body)
    assert answered(await cast.client("caseworker").post(path, content=sent, headers=FORM), 413)
    assert answered(await cast.client("caseworker").get(path), 200)["items"] == []


async def test_a_body_without_a_length_is_kept_too(cast: Cast, case_id: str) -> None:
    content = paper(3 * CHUNK)
    path = f"/cases/{case_id}/attachments"
    made = await cast.client("caseworker").post(path, content=in_parts(form_of(content)), headers=FORM)
    assert (await content_of(cast, "caseworker", answered(made, 201))).content == content


@pytest.mark.parametrize("received", [0, 1, 30, 45])
async def test_a_broken_upload_leaves_nothing(
    app: Any, cast: Cast, case_id: str, superuser: Superuser, runtime: Runtime, received: int
) -> None:
    parts = [part async for part in in_parts(form_of(paper(10 * CHUNK)))][:received]
    answers: list[Message] = []

    async def receive() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    bearer, _ = runtime.tokens.issue(cast.users["caseworker"].id, cast.sessions["caseworker"], cast.clock())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1/cases/{case_id}/attachments",
        "query_string": b"",
        "root_path": "",
        "client": None,
        "headers": [(b"authorization", b"Bearer " + bearer.encode()), (b"content-type", FORM["Content-Type"].encode())],
    }
    count = (
        "select (select count(*) from attachments), (select count(*) from attachment_chunks),"
        " (select count(*) from vault.data_keys)"
    )
    before = superuser.execute(count).fetchone()
    await app(scope, receive, send)
    assert answers == []
    assert superuser.execute(count).fetchone() == before
    for _ in range(40):  # and no place for a file is lost
        answered(await cast.client("caseworker").post(f"/cases/{case_id}/attachments", headers=FORM, content=PART), 422)


async def test_nothing_is_on_a_disk_in_clear(
    cast: Cast, case_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is written while a file comes is looked at byte by byte."""
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: (kept / uuid4().hex).open("w+b", buffering=0))
    mark = b"Zq8 a word that stands on every page of it. "
    await sends(cast, "caseworker", case_id, "a.pdf", PDF + mark * 30_000)
    await sends(cast, "caseworker", case_id, "a.jpg", photograph("JPEG"))
    written = b"".join(path.read_bytes() for path in kept.iterdir())
    assert len(written) > 30_000 * len(mark)
    for word in (mark, b"%PDF", b"JFIF", GPS_MARK.encode()):
        assert word not in written


async def test_a_full_disk_is_not_our_last_word(cast: Cast, case_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: full.open("wb", buffering=0))
    assert (await sends(cast, "caseworker", case_id, "a.txt", b"Words.", 503))["code"] == "unavailable"


async def test_a_case_holds_so_many_and_no_more(cast: Cast, case_id: str, superuser: Superuser) -> None:
    made = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute(
        "insert into attachments (id, version, created_at, updated_at, case_id, organisation_id, media_type, size,"
        " created_by, sealed) select gen_random_uuid(), 1, created_at, created_at, case_id, organisation_id,"
        " media_type, size, created_by, '' from attachments, generate_series(1, 49) where id = %s",
        [made["id"]],
    )
    assert (await sends(cast, "caseworker", case_id, "a.txt", b"Words.", 409))["code"] == "conflict"
    path = f"/cases/{case_id}/attachments/{made['id']}"
    assert (await cast.client("caseworker").delete(path, headers={"If-Match": "*"})).status_code == 204
    await sends(cast, "caseworker", case_id, "a.txt", b"Words.")


async def test_a_closed_case_takes_none_and_gives_up_none(cast: Cast, case_id: str) -> None:
    made = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    closure = {"reason": "declined", "informed_can_return": True}
    step = {"to": "closed", "reason": "Her wish.", "closure": closure}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=step), 200)
    assert (await sends(cast, "caseworker", case_id, "a.txt", b"Words.", 409))["code"] == "case_closed"
    path = f"/cases/{case_id}/attachments/{made['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)
    assert (await content_of(cast, "caseworker", made)).content == b"Words."


# Sent twice.


async def test_the_same_file_with_the_same_key_is_kept_once(cast: Cast, case_id: str) -> None:
    path, key = f"/cases/{case_id}/attachments", {"Idempotency-Key": str(uuid4())}
    client = cast.client("caseworker")
    made = [await client.post(path, files={"file": ("a.txt", b"Words.")}, headers=key) for _ in range(3)]
    assert {answered(one, 201)["id"] for one in made} == {made[0].json()["id"]}, "each with a boundary of its own"
    assert [one.headers.get("Idempotency-Replayed") for one in made] == [None, "true", "true"]
    for name, content in (("a.txt", b"Words!"), ("b.txt", b"Words.")):
        other = await client.post(path, files={"file": (name, content)}, headers=key)
        assert answered(other, 422)["code"] == "idempotency_key_reused"
    assert len(answered(await client.get(path), 200)["items"]) == 1


# Who.


async def test_nobody_else_who_sees_the_case_sees_its_papers(
    cast: Cast, case_id: str, clock: FrozenClock, superuser: Superuser
) -> None:
    made = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    path = f"/cases/{case_id}/attachments"
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await break_glass(cast, superuser, case_id, "second_supervisor")
    for who in ("supervisor", "second_supervisor"):
        for rest in ("", f"/{made['id']}", f"/{made['id']}/content"):
            answered(await cast.client(who).get(path + rest), 403)
        await sends(cast, who, case_id, "a.txt", b"Words.", 403)
        answered(await cast.client(who).delete(f"{path}/{made['id']}", headers={"If-Match": "*"}), 403)
    for who in ("stranger", "other_supervisor", "colleague"):
        for rest in ("", f"/{made['id']}", f"/{made['id']}/content"):
            hidden = await cast.client(who).get(path + rest)
            unknown = await cast.client(who).get(f"/cases/{uuid4()}/attachments" + rest)
            assert hidden.status_code == 404
            assert without_instance(hidden) == without_instance(unknown)
    until = clock().replace(year=clock().year + 1).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    assert (await content_of(cast, "colleague", made)).content == b"Words."
    await sends(cast, "colleague", case_id, "b.txt", b"Words.")
    await exclude(cast, "caseworker", case_id, "colleague")
    await content_of(cast, "colleague", made, 404)


async def test_an_attachment_is_found_below_its_own_case_only(cast: Cast, case_id: str) -> None:
    made = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    other = await open_case(cast, category=SENSITIVE)
    path = f"/cases/{other}/attachments/{made['id']}"
    for rest in ("", "/content"):
        found = await cast.client("caseworker").get(path + rest)
        unknown = await cast.client("caseworker").get(f"/cases/{other}/attachments/{uuid4()}{rest}")
        assert found.status_code == 404
        assert without_instance(found) == without_instance(unknown)
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 404)


async def test_who_may_not_send_is_told_before_anything_is_sent(cast: Cast, case_id: str) -> None:
    async def watched() -> AsyncIterator[bytes]:
        asked.append(True)
        async for part in in_parts(form_of(paper(CHUNK))):
            yield part

    path = f"/cases/{case_id}/attachments"
    unknown = f"/cases/{uuid4()}/attachments"
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    for who, address, status in (
        ("nobody", path, 401),
        ("liaison", path, 403),
        ("supervisor", path, 403),
        ("stranger", path, 404),
        ("caseworker", unknown, 404),
        ("caseworker", "/cases/none/attachments", 404),
    ):
        asked: list[bool] = []
        answered(await cast.client(who).post(address, content=watched(), headers=FORM), status)
        assert asked == [], who


@pytest.mark.parametrize("relation", [Relation.STAFF, Relation.SUPERVISOR, Relation.REVIEWER, Relation.BREAK_GLASS])
async def test_a_forgotten_check_shows_nobody_a_paper(
    cast: Cast, case_id: str, superuser: Superuser, relation: Relation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    if relation is Relation.REVIEWER:
        await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    elif relation is Relation.BREAK_GLASS:
        await break_glass(cast, superuser, case_id, "supervisor")
    else:
        superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
        superuser.execute("update cases set sensitivity = 'standard' where id = %s", [case_id])
    who = "colleague" if relation is Relation.STAFF else "supervisor"
    more = RELATION_PERMISSIONS[relation] | {Permission.ATTACHMENT_READ}
    monkeypatch.setitem(RELATION_PERMISSIONS, relation, more)
    assert answered(await cast.client(who).get(f"/cases/{case_id}/attachments"), 200)["items"] == []
    await content_of(cast, who, made, 404)


async def cut_off(cast: Cast, who: str, made: Any, superuser: Superuser) -> list[tuple[int, str | None]]:
    """What the trail says of a download of which the end never comes."""
    request_id = str(uuid4())
    with pytest.raises(AssertionError):  # httpx: the answer is not complete
        await content_of(cast, who, made, X_Request_ID=request_id)
    said = rows(superuser, "request_id = %s", request_id)
    return sorted((row["status"], row["reason"]) for row in said)


async def test_whose_access_ends_meanwhile_gets_no_more_of_it(cast: Cast, case_id: str, superuser: Superuser) -> None:
    made = await sends(cast, "caseworker", case_id, "a.pdf", paper(9 * CHUNK))
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    whole = attachment_content.parts_of
    got: list[int] = []

    async def slowly(*given: Any) -> AsyncIterator[bytes]:
        async for part in whole(*given):
            yield part
            got.append(len(part))
            if len(got) == 1:
                await exclude(cast, "caseworker", case_id, "colleague")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attachment_content, "parts_of", slowly)
        seen = await cut_off(cast, "colleague", made, superuser)
    assert got == [CHUNK] * attachment_content.TOGETHER
    assert seen == [(200, None), (404, "not_found")]


# A hand on the tables.

TAMPERED = {
    "a byte": "update attachment_chunks set content = set_byte(content, 40, get_byte(content, 40) # 1)"
    " where attachment_id = %(id)s and number = 1",
    "two swapped": "update attachment_chunks c set content = o.content from attachment_chunks o"
    " where c.attachment_id = %(id)s and o.attachment_id = %(id)s and c.number in (0, 1) and o.number = 1 - c.number",
    "one gone": "delete from attachment_chunks where attachment_id = %(id)s and number = 1",
    "the last gone": "delete from attachment_chunks where attachment_id = %(id)s and number = 2",
    "of another file": "update attachment_chunks c set content = o.content from attachment_chunks o"
    " where c.attachment_id = %(id)s and o.attachment_id = %(other)s and c.number = 1 and o.number = 1",
    "all of another file": "update attachment_chunks c set content = o.content from attachment_chunks o"
    " where c.attachment_id = %(id)s and o.attachment_id = %(other)s and c.number = o.number",
    "a shorter size": "update attachments set size = size - 1 where id = %(id)s",
    "a longer size": "update attachments set size = size + 1 where id = %(id)s",
    "cut off at a chunk": f"update attachments set size = {2 * CHUNK} where id = %(id)s",
    "the name": "update attachments c set sealed = o.sealed from attachments o"
    " where c.id = %(id)s and o.id = %(other)s",
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_somebody_laid_a_hand_on_is_not_shown_and_sounds_an_alarm(
    cast: Cast, case_id: str, superuser: Superuser, how: str
) -> None:
    made = await sends(cast, "caseworker", case_id, "a.pdf", paper(3 * CHUNK))
    other = await sends(cast, "caseworker", case_id, "b.pdf", paper(3 * CHUNK))
    assert superuser.execute(TAMPERED[how].encode(), {"id": made["id"], "other": other["id"]}).rowcount > 0
    path = f"/cases/{case_id}/attachments/{made['id']}/content"
    seen = await told(superuser, cast.client("caseworker"), "GET", path)
    assert (answered(seen.answer, 503)["code"], "Retry-After" in seen.answer.headers) == ("unavailable", True)
    assert (seen.row["reason"], seen.row["status"], seen.row["subject_id"]) == ("seal_broken", 503, UUID(made["id"]))
    assert len((await content_of(cast, "caseworker", other)).content) == 3 * CHUNK, "the others are as they were"


async def test_a_seal_that_breaks_while_it_is_sent_cuts_the_answer_and_sounds_the_alarm(
    cast: Cast, case_id: str, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await sends(cast, "caseworker", case_id, "a.pdf", paper(9 * CHUNK))
    whole = attachment_content.parts_of
    got: list[int] = []

    async def slowly(*given: Any) -> AsyncIterator[bytes]:
        superuser.execute(
            "update attachment_chunks set content = set_byte(content, 40, get_byte(content, 40) # 1)"
            " where attachment_id = %s and number = 8",
            [made["id"]],
        )
        async for part in whole(*given):
            yield part
            got.append(len(part))

    monkeypatch.setattr(attachment_content, "parts_of", slowly)
    seen = await cut_off(cast, "caseworker", made, superuser)
    assert got == [CHUNK] * 8
    assert seen == [(200, None), (503, "seal_broken")]


# Where it must never be.


async def test_name_and_content_are_nowhere_but_in_their_own_answers(
    cast: Cast, case_id: str, superuser: Superuser, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await sends(cast, "caseworker", case_id, "Zq8 letter.txt", b"Zq8 words.")
    await content_of(cast, "caseworker", made)
    await cast.client("caseworker").delete(f"/cases/{case_id}/attachments/{made['id']}", headers={"If-Match": "*"})
    elsewhere = ""
    for path in ("", "/timeline", "/notes", "/access-report"):
        elsewhere += (await cast.client("caseworker").get(f"/cases/{case_id}{path}")).text
    assert "attachment.added" in elsewhere
    assert "attachment.removed" in elsewhere
    assert "Zq8" not in elsewhere
    assert "Zq8" not in capsys.readouterr().out
    said = [row["action"] for row in rows(superuser, "subject_id = %s", made["id"])]
    assert sorted(said) == ["add_attachment", "read_attachment_content", "remove_attachment"]


async def test_the_wall_of_rows_keeps_chunks_with_their_own_case(cast: Cast, database: DatabaseUrls) -> None:
    """A chunk of another case's attachment cannot be written below the own case."""
    case_id = await open_case(cast, category=SENSITIVE)
    theirs = await sends(cast, "caseworker", case_id, "a.txt", b"Words.")
    own = await open_case(cast, "colleague", SENSITIVE)
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions["colleague"], cast.clock()])
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(
                "insert into attachment_chunks (attachment_id, number, case_id, organisation_id, content)"
                " select %s, 9, id, organisation_id, '' from cases where id = %s",
                [theirs["id"], own],
            )
