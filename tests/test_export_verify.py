"""An auditor who has the files and the keys finds out, alone and offline, whether they are what was signed."""

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from typer.testing import CliRunner

from app.cli import cli
from app.exports.manifest import Manifest
from app.exports.profile import load_profile
from app.exports.verifying import public_keys, verify
from app.keys import ensure, export_jwks, load_export_keys
from app.models.codes.files import ExportAttribute
from tests.exporting import invented, key, published, quarter, release, written

SIGNER, OTHER = key(1), key(2)
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("exports") / "2024Q3"
    written(room, quarter(), SIGNER)
    return room


@pytest.fixture
def room(signed: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(signed, tmp_path / "2024Q3"))


def faults(room: Path) -> list[str]:
    return [f"{one.code} {one.file}" for one in verify(room, published(OTHER, SIGNER))]


def flip(path: Path, at: int, bit: int = 1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= bit
    path.write_bytes(content)


def test_what_was_signed_verifies(room: Path) -> None:
    assert faults(room) == []


def test_one_flipped_byte_in_any_file_is_found_and_the_file_named(room: Path, signed: Path) -> None:
    """Proof 9: at the first byte, at the last and in between, in every file but the manifest."""
    tried = 0
    for path in sorted(signed.iterdir()):
        if path.name == "manifest.json":
            continue
        size = path.stat().st_size
        for at in {0, size // 3, size // 2, size - 1}:
            flip(room / path.name, at)
            assert faults(room) == [f"changed_file {path.name}"]
            flip(room / path.name, at)
            tried += 1
    assert faults(room) == []
    print(f"{tried} flipped bytes in {len(list(signed.iterdir())) - 1} files: {tried} found")  # noqa: T201 - figures of a proof


def test_one_flipped_byte_anywhere_in_the_manifest_is_found(tmp_path: Path) -> None:
    """Proof 9, every one of its bytes: names, numbers, hashes, blanks between them, and the signature itself. Of one
    table and one that is omitted, which are all kinds of entries that there are."""
    path = tmp_path / "2024Q3" / "manifest.json"
    one = invented(7, "category", load_profile("auditor-v1"))
    written(path.parent, release(one, omitted={"status": "one_value_prevails"}), SIGNER)
    assert faults(path.parent) == []
    content = path.read_bytes()
    for at in range(len(content)):
        bit = 1 << at % 6
        path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
        assert faults(path.parent), (at, bit)
    print(f"{len(content)} flipped bytes in the manifest: all found")  # noqa: T201 - figures of a proof


def test_a_signature_has_one_spelling_only(room: Path) -> None:
    """The last four bits of base64 are ignored by who decodes it; not by us."""
    path = room / "manifest.json"
    manifest = json.loads(path.read_bytes())
    value = manifest["signature"]["value"]
    last = BASE64.index(value[-3])
    for bits in range(1, 16):
        other = value[:-3] + BASE64[last ^ bits] + "=="
        path.write_bytes(
            Manifest(**_tuples({**manifest, "signature": {**manifest["signature"], "value": other}})).written()
        )
        assert faults(room) == ["changed_manifest manifest.json"]


def test_a_manifest_written_in_another_way_is_not_the_one_that_was_signed(room: Path) -> None:
    path = room / "manifest.json"
    manifest = json.loads(path.read_bytes())
    twice = path.read_bytes().replace(b'"rows_in": ', b'"rows_in": 1, "rows_in": ', 1)
    for content in (json.dumps(manifest).encode(), json.dumps(manifest, indent=2).encode(), twice):
        path.write_bytes(content)
        assert faults(room) == ["changed_manifest manifest.json"]


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "profile": lambda one: one["profile"].update(name="public-v1"),
    "profile hash": lambda one: one["profile"].update(hash="0" * 64),
    "period": lambda one: one.update(period="2024Q2"),
    "frozen_at": lambda one: one.update(frozen_at="2024-11-01T03:00:00Z"),
    "software": lambda one: one.update(software="another"),
    "rows_in": lambda one: one.update(rows_in=one["rows_in"] + 1),
    "promise": lambda one: one["promise"].update(k=50),
    "k": lambda one: one["risk"].update(k=50),
    "a column's posterior": lambda one: one["columns"][0].update(max_posterior=0.1),
    "a column": lambda one: one["columns"].pop(),
    "an omission": lambda one: one["omitted"].append({"attribute": "id_poor", "why": "by_size"}),
    "pinned": lambda one: one["audit"].update(pinned=1),
    "cells": lambda one: one["audit"].update(cells=1_000_000),
    "a hash": lambda one: one["files"][0].update(sha256="0" * 64),
    "rows": lambda one: one["files"][0].update(rows=3),
    "a file": lambda one: one["files"].pop(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_field_of_the_manifest_is_found(room: Path, what: str) -> None:
    path = room / "manifest.json"
    manifest = json.loads(path.read_bytes())
    CHANGES[what](manifest)
    path.write_bytes(Manifest(**_tuples(manifest)).written())
    assert faults(room) == ["wrong_signature manifest.json"]


def test_who_changes_a_figure_and_signs_anew_signs_with_a_foreign_key(room: Path) -> None:
    path = room / "manifest.json"
    manifest = Manifest.read(path.read_bytes())
    forged = manifest.model_copy(update={"software": "forged"}).signed(key(3))
    path.write_bytes(forged.written())
    assert faults(room) == ["foreign_key manifest.json"]
    # Under the name of the right key it is the signature that does not fit.
    named = forged.signature.model_copy(update={"key": SIGNER.kid})
    path.write_bytes(forged.model_copy(update={"signature": named}).written())
    assert faults(room) == ["wrong_signature manifest.json"]


def test_a_release_of_another_installation_is_signed_with_a_foreign_key(signed: Path) -> None:
    (fault,) = verify(signed, published(OTHER))
    assert (fault.code, fault.file) == ("foreign_key", "manifest.json")
    assert verify(signed, {}) == [fault]


def test_a_newer_key_beside_the_one_that_signed_does_not_matter(signed: Path) -> None:
    assert verify(signed, published(OTHER, SIGNER)) == verify(signed, published(SIGNER, OTHER)) == []


def test_two_files_that_changed_places_are_both_named(room: Path) -> None:
    (room / "status.csv").rename(room / "x")
    (room / "category.csv").rename(room / "status.csv")
    (room / "x").rename(room / "category.csv")
    assert faults(room) == ["swapped_file category.csv", "swapped_file status.csv"]
    assert "status.csv" in str(verify(room, published(SIGNER))[0])


def test_a_file_of_another_release_is_found(room: Path, tmp_path: Path) -> None:
    written(tmp_path / "other", quarter(8), SIGNER)
    shutil.copy(tmp_path / "other" / "category.csv", room / "category.csv")
    assert faults(room) == ["changed_file category.csv"]
    shutil.copy(tmp_path / "other" / "manifest.json", room / "manifest.json")
    assert "changed_file id_poor.csv" in faults(room)


def test_a_file_less_or_more_is_found(room: Path) -> None:
    (room / "status.parquet").unlink()
    assert faults(room) == ["missing_file status.parquet"]
    (room / "notes.txt").write_text("hello", encoding="utf-8")
    (room / "more").mkdir()
    assert faults(room) == ["missing_file status.parquet", "extra_file more", "extra_file notes.txt"]


def test_a_link_or_a_directory_in_the_place_of_a_file_is_no_file(room: Path, signed: Path) -> None:
    (room / "status.csv").unlink()
    (room / "status.csv").symlink_to(signed / "status.csv")
    assert faults(room) == ["changed_file status.csv"]
    (room / "status.csv").unlink()
    (room / "status.csv").mkdir()
    assert faults(room) == ["changed_file status.csv"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": "samaki-export/1"}', b"[" * 9999]
)
def test_what_is_no_manifest_is_said_to_be_none(room: Path, content: bytes) -> None:
    (room / "manifest.json").write_bytes(content)
    assert faults(room) == ["unreadable_manifest manifest.json"]


def test_without_a_manifest_or_a_directory_nothing_verifies(room: Path, tmp_path: Path) -> None:
    (room / "manifest.json").unlink()
    assert faults(room) == ["no_manifest 2024Q3"]
    assert faults(tmp_path / "nowhere") == ["no_manifest nowhere"]


def test_a_manifest_cannot_lead_out_of_its_directory(room: Path) -> None:
    manifest = json.loads((room / "manifest.json").read_bytes())
    manifest["files"][0]["name"] = "../secret.key"
    (room / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert faults(room) == ["unreadable_manifest manifest.json"]


def test_not_even_the_signer_is_believed_about_what_the_tables_promise(room: Path) -> None:
    """Signed with the right key, every hash right, and a figure that the tables do not bear out."""
    manifest = Manifest.read((room / "manifest.json").read_bytes())
    better = manifest.columns[0].model_copy(update={"k": manifest.columns[0].k + 1})
    lying = manifest.model_copy(update={"columns": (better, *manifest.columns[1:])}).signed(SIGNER)
    (room / "manifest.json").write_bytes(lying.written())
    assert faults(room) == ["other_figures category.csv"]
    generous = manifest.promise.model_copy(update={"k": 1_000})
    (room / "manifest.json").write_bytes(manifest.model_copy(update={"promise": generous}).signed(SIGNER).written())
    assert set(faults(room)) == {f"broken_promise {one.attribute}.csv" for one in manifest.columns}


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b'{"keys": [{}]}', b'{"keys": 3}', b"\xff",
        json.dumps({"keys": [{**SIGNER.jwk, "kid": OTHER.kid}]}).encode(),
        json.dumps({"keys": [{**SIGNER.jwk, "crv": "Ed448"}]}).encode(),
        json.dumps({"keys": [{**SIGNER.jwk, "x": "AAAA"}]}).encode(),
    ],
)  # fmt: skip
def test_a_file_that_is_no_set_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several libraries
        public_keys(document)


def test_the_command_says_that_all_is_well_or_what_is_not(room: Path, tmp_path: Path) -> None:
    keys = tmp_path / "export-keys.json"
    keys.write_text(json.dumps(export_jwks([OTHER, SIGNER])), encoding="utf-8")
    asked = ["export", "verify", str(room), "--keys", str(keys)]
    well = CliRunner().invoke(cli, asked)
    assert (well.exit_code, well.output) == (0, f"{room} is what was signed, and keeps what it promises\n")
    flip(room / "status.csv", 40)
    (room / "disability.xlsx").unlink()
    wrong = CliRunner().invoke(cli, asked)
    assert wrong.exit_code == 1
    assert wrong.output == (
        "FAIL disability.xlsx is in the manifest and not here\n"
        "FAIL status.csv is not what was signed: its bytes were changed\n"
    )


def test_the_command_uses_the_keys_of_its_own_installation_when_none_are_given(room: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ensure(data / "keys")
    asked = ["export", "verify", "--data-dir", str(data)]
    (own,) = load_export_keys(data / "keys")
    foreign = CliRunner().invoke(cli, [*asked, str(room)])
    assert (foreign.exit_code, "none of the given ones" in foreign.output) == (1, True)
    written(tmp_path / "own", quarter(), own)
    assert CliRunner().invoke(cli, [*asked, str(tmp_path / "own")]).exit_code == 0


def test_a_key_file_that_is_none_is_explained_in_one_sentence(room: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b64encode(b"no keys"))
    for name in ("bad.json", "nowhere.json"):
        done = CliRunner().invoke(cli, ["export", "verify", str(room), "--keys", str(tmp_path / name)])
        assert done.exit_code == 1
        assert "/.well-known/export-keys.json" in str(done.exception)


def recipe() -> str:
    """The shell lines of docs/exports.md, for who has no Samaki."""
    text = (Path(__file__).parent.parent / "docs" / "exports.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("wrong", ["", "status.csv", "risk-km.html", "manifest.json", "a foreign key"])
def test_who_has_only_python_and_openssl_verifies_by_the_lines_of_the_guide(room: Path, wrong: str) -> None:
    keys = export_jwks([OTHER] if wrong == "a foreign key" else [OTHER, SIGNER])
    (room.parent / "export-keys.json").write_text(json.dumps(keys), encoding="utf-8")
    if wrong == "manifest.json":
        (room / wrong).write_bytes((room / wrong).read_bytes().replace(b'"pinned": 0', b'"pinned": 1'))
    elif wrong.endswith(("csv", "html")):
        flip(room / wrong, 30)
    # Where there is no openssl its last line is left out, and our library takes its place.
    checks, _, openssl = recipe().strip().rpartition("\n")
    assert openssl.startswith("openssl pkeyutl -verify")
    has_openssl = shutil.which("openssl") is not None
    lines = f"set -e\n{checks.replace('python3', sys.executable, 1)}\n" + (openssl if has_openssl else "")
    done = subprocess.run(["bash", "-c", lines], cwd=room.parent, capture_output=True, check=False, timeout=60)  # noqa: S607
    well = done.returncode == 0
    if well and not has_openssl:
        public, said, signature = (
            (room.parent / name).read_bytes() for name in ("key.der", "signed.json", "signature.bin")
        )
        well = fits(public, said, signature)
    assert well == (not wrong), done.stderr


def fits(public: bytes, said: bytes, signature: bytes) -> bool:
    key_ = load_der_public_key(public)
    assert isinstance(key_, Ed25519PublicKey)
    try:
        key_.verify(signature, said)
    except InvalidSignature:
        return False
    return True


def test_the_guide_names_every_file_field_and_attribute_of_a_release(room: Path) -> None:
    guide = (Path(__file__).parent.parent / "docs" / "exports.md").read_text(encoding="utf-8")
    manifest = json.loads((room / "manifest.json").read_bytes())
    for name in (*manifest["risk"], "smallest_cell", "promised_l", "rows_in", "rows_out", "suppressed", "withheld"):
        assert f"`{name}`" in guide, name
    for attribute in ExportAttribute:
        assert f"`{attribute}`" in guide
    for file in ("risk-en.html", "risk-km.html", "manifest.json", "category-aggregate.csv"):
        assert f"`{file}`" in guide
        assert (room / file).exists()


def _tuples(manifest: dict[str, Any]) -> dict[str, Any]:
    """As Python would say it: the models are strict."""
    return Manifest.model_validate_json(json.dumps(manifest)).__dict__
