"""The key files: made once, whole and private; refused when they cannot be trusted; published by halves."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from app.keys import KeyStore, UnusableKey, ensure, export_jwks, load_audit_keys, load_export_keys

ROOT = bytes(range(100, 132))
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "keys"
    ensure(path)
    return path


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def pem(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def the_token_file(keys_dir: Path) -> Path:
    (path,) = keys_dir.glob("token-*.pem")
    return path


def contents(keys_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in keys_dir.iterdir()}


def assert_refused(keys_dir: Path, named: Path, *never: bytes) -> None:
    """The message is one sentence that names the file and holds none of its content."""
    with pytest.raises(UnusableKey) as refusal:
        KeyStore.load(keys_dir)
    message = str(refusal.value)
    assert str(named) in message
    assert message.endswith(".")
    assert "\n" not in message
    for secret in never:
        assert secret.decode("latin-1") not in message


def test_the_first_start_makes_keys_that_only_their_owner_can_read(tmp_path: Path) -> None:
    before = os.umask(0)  # the most careless one
    try:
        ensure(tmp_path / "keys")
    finally:
        os.umask(before)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    files = list((tmp_path / "keys").iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert len(files) == 5
    assert len((tmp_path / "keys" / "secret.key").read_bytes()) == 32
    assert the_token_file(tmp_path / "keys").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    store = KeyStore.load(tmp_path / "keys")
    assert (len(store.token_keys), [len(key) for key in store.key_encryption_keys]) == (1, [32])
    assert len(load_audit_keys(tmp_path / "keys")) == 1
    assert len(load_export_keys(tmp_path / "keys")) == 1


def test_two_installations_share_no_key(tmp_path: Path) -> None:
    ensure(tmp_path / "one")
    ensure(tmp_path / "two")
    one, two = KeyStore.load(tmp_path / "one"), KeyStore.load(tmp_path / "two")
    assert one.jwks() != two.jwks()
    assert one.secret("refresh-token") != two.secret("refresh-token")


def test_a_later_start_changes_nothing(keys_dir: Path) -> None:
    before = contents(keys_dir)
    ensure(keys_dir)
    assert contents(keys_dir) == before


def test_an_installation_from_before_the_trail_gets_its_key_and_keeps_the_others(keys_dir: Path) -> None:
    (path,) = keys_dir.glob("audit-*.pem")
    before = contents(keys_dir)
    path.unlink()
    with pytest.raises(UnusableKey, match="audit"):
        load_audit_keys(keys_dir)
    ensure(keys_dir)
    (made,) = load_audit_keys(keys_dir)
    assert {name: content for name, content in contents(keys_dir).items() if name in before} == {
        name: content for name, content in before.items() if not name.startswith("audit-")
    }
    assert len(made.key_id) == 16


def test_a_key_of_another_kind_does_not_sign_the_trail(keys_dir: Path) -> None:
    (path,) = keys_dir.glob("audit-*.pem")
    write(path, the_token_file(keys_dir).read_bytes())
    with pytest.raises(UnusableKey, match="Ed25519"):
        load_audit_keys(keys_dir)


def test_an_installation_from_before_the_exports_gets_their_key_and_keeps_the_others(keys_dir: Path) -> None:
    (path,) = keys_dir.glob("export-*.pem")
    path.unlink()
    before = contents(keys_dir)
    with pytest.raises(UnusableKey, match="export"):
        load_export_keys(keys_dir)
    ensure(keys_dir)
    after = contents(keys_dir)
    assert {name: after[name] for name in before} == before
    assert len(load_export_keys(keys_dir)) == 1


def test_a_key_of_another_kind_does_not_sign_an_export(keys_dir: Path) -> None:
    (path,) = keys_dir.glob("export-*.pem")
    write(path, the_token_file(keys_dir).read_bytes())
    with pytest.raises(UnusableKey, match="an export needs one"):
        load_export_keys(keys_dir)


def test_the_newest_export_key_signs_and_all_are_published_by_their_public_half_alone(keys_dir: Path) -> None:
    write(keys_dir / "export-20990101T000000000000Z.pem", pem(newer := ed25519.Ed25519PrivateKey.generate()))
    keys = load_export_keys(keys_dir)
    public = newer.public_key()
    assert keys[0].private.public_key() == public
    published = export_jwks(keys)["keys"]
    assert [one["kid"] for one in published] == [key.kid for key in keys]
    for one in published:
        assert set(one) == {"kty", "crv", "x", "kid", "use", "alg"}
        required = json.dumps({"crv": one["crv"], "kty": one["kty"], "x": one["x"]}, separators=(",", ":"))
        digest = hashlib.sha256(required.encode()).digest()
        assert one["kid"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert base64.urlsafe_b64decode(published[0]["x"] + "=") == raw
    public.verify(keys[0].sign(b"a manifest"), b"a manifest")
    secret = newer.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    assert secret.hex() not in repr(keys)
    assert base64.urlsafe_b64encode(secret).decode().rstrip("=") not in str(published)


def test_processes_that_start_together_make_one_set_of_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(ensure, [tmp_path / "keys"] * 8))
    audit, export, wrapping, secret, token = sorted(contents(tmp_path / "keys"))
    assert (audit[:6], export[:7], wrapping[:4]) == ("audit-", "export-", "kek-")
    assert (secret, token) == ("secret.key", the_token_file(tmp_path / "keys").name)


def test_a_first_start_that_was_cut_off_is_completed_by_the_next(keys_dir: Path) -> None:
    secret = (keys_dir / "secret.key").read_bytes()
    the_token_file(keys_dir).unlink()
    write(keys_dir / ".secret.key.new", b"half")
    ensure(keys_dir)
    assert len(KeyStore.load(keys_dir).token_keys) == 1
    assert (keys_dir / "secret.key").read_bytes() == secret


def test_a_cut_off_draft_of_the_secret_never_becomes_the_secret(tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    keys_dir.mkdir(0o700)
    write(keys_dir / ".secret.key.new", b"half")
    ensure(keys_dir)
    KeyStore.load(keys_dir)
    assert not (keys_dir / ".secret.key.new").exists()


def test_a_lost_secret_is_refused_and_not_quietly_replaced(keys_dir: Path) -> None:
    (keys_dir / "secret.key").unlink()
    ensure(keys_dir)
    assert not (keys_dir / "secret.key").exists()
    assert_refused(keys_dir, keys_dir / "secret.key")


def test_no_keys_are_written_where_others_may_read(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(UnusableKey, match="chmod 700"):
        ensure(tmp_path / "keys")
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_file_in_the_place_of_the_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(UnusableKey, match="takes no keys"):
        ensure(tmp_path / "keys")
    assert_refused(tmp_path / "keys", tmp_path / "keys")


def test_a_missing_or_empty_directory_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "keys", tmp_path / "keys")
    (tmp_path / "keys").mkdir(0o700)
    assert_refused(tmp_path / "keys", tmp_path / "keys")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
@pytest.mark.parametrize("pattern", ["secret.key", "token-*.pem"])
def test_a_key_file_open_to_others_is_refused(keys_dir: Path, pattern: str, mode: int) -> None:
    (path,) = keys_dir.glob(pattern)
    path.chmod(mode)
    assert_refused(keys_dir, path, path.read_bytes())


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o705, 0o710, 0o701, 0o720, 0o702])
def test_a_keys_directory_open_to_others_is_refused(keys_dir: Path, mode: int) -> None:
    keys_dir.chmod(mode)
    assert_refused(keys_dir, keys_dir)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        ROOT[:31],
        ROOT + b"\n",
        bytes(32),
        b"\xff" * 32,
        ROOT[:8] * 4,
        bytes(range(200, 215)) * 2 + b"\xc8\xc9",
        b"change-me-change-me-change-me-32",
        b"abcdefghijklmnopqrstuvwxyz012345",
    ],
    ids=["empty", "short", "newline", "zeros", "ones", "repeated", "few-values", "placeholder", "typed"],
)
def test_an_empty_short_or_placeholder_secret_is_refused(keys_dir: Path, content: bytes) -> None:
    write(keys_dir / "secret.key", content)
    assert_refused(keys_dir, keys_dir / "secret.key", *([content] if content else []))


TOKEN_KEYS_OF_NO_USE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "placeholder": lambda: b"-----BEGIN PRIVATE KEY-----\nREPLACE+ME\n-----END PRIVATE KEY-----\n",
    "text": lambda: b"change-me",
    "cut": lambda: pem(p256())[:-60],
    "encrypted": lambda: pem(p256(), BestAvailableEncryption(b"x")),
    "public": lambda: p256().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "P-384": lambda: pem(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": lambda: pem(ec.generate_private_key(ec.SECP256K1())),
    "Ed25519": lambda: pem(ed25519.Ed25519PrivateKey.generate()),
    "RSA": lambda: pem(rsa.generate_private_key(65537, 2048)),
}


@pytest.mark.parametrize("kind", TOKEN_KEYS_OF_NO_USE)
def test_a_token_key_that_is_not_a_plain_p256_key_is_refused(keys_dir: Path, kind: str) -> None:
    content = TOKEN_KEYS_OF_NO_USE[kind]()
    write(the_token_file(keys_dir), content)
    assert_refused(keys_dir, the_token_file(keys_dir), *content.split())


def test_an_empty_file_is_called_empty(keys_dir: Path) -> None:
    write(keys_dir / "secret.key", b"")
    with pytest.raises(UnusableKey, match=r"secret\.key is empty"):
        KeyStore.load(keys_dir)
    write(the_token_file(keys_dir), b"")  # read first
    with pytest.raises(UnusableKey, match=r"\.pem is empty"):
        KeyStore.load(keys_dir)


def test_a_directory_without_a_token_key_is_refused(keys_dir: Path) -> None:
    the_token_file(keys_dir).unlink()
    with pytest.raises(UnusableKey, match=r"holds no token-\*\.pem"):
        KeyStore.load(keys_dir)


def test_one_bad_key_among_good_ones_is_refused(keys_dir: Path) -> None:
    write(keys_dir / "token-20000101T000000000000Z.pem", b"change-me")
    assert_refused(keys_dir, keys_dir / "token-20000101T000000000000Z.pem")


def test_a_directory_or_a_pipe_in_the_place_of_a_key_is_refused_without_hanging(keys_dir: Path) -> None:
    (keys_dir / "secret.key").unlink()
    (keys_dir / "secret.key").mkdir(0o700)
    assert_refused(keys_dir, keys_dir / "secret.key")
    (keys_dir / "secret.key").rmdir()
    os.mkfifo(keys_dir / "secret.key", 0o600)
    assert_refused(keys_dir, keys_dir / "secret.key")


def test_the_key_with_the_latest_name_signs_and_the_older_ones_stay_published(keys_dir: Path) -> None:
    old, middle, new = p256(), KeyStore.load(keys_dir).token_keys[0].private, p256()
    write(keys_dir / "token-20000101T000000000000Z.pem", pem(old))
    write(keys_dir / "token-29990101T000000000000Z.pem", pem(new))
    # A restore can leave any modification time: it must not decide.
    os.utime(keys_dir / "token-29990101T000000000000Z.pem", (0, 0))
    store = KeyStore.load(keys_dir)
    public = [key.private.public_key() for key in store.token_keys]
    assert public == [new.public_key(), middle.public_key(), old.public_key()]
    assert [jwk["kid"] for jwk in store.jwks()["keys"]] == [key.kid for key in store.token_keys]


def test_the_public_key_set_verifies_signatures_and_holds_nothing_private(keys_dir: Path) -> None:
    store = KeyStore.load(keys_dir)
    (jwk,) = store.jwks()["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"]) == ("EC", "P-256", "sig", "ES256")
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "="), "big") for name in ("x", "y"))
    signature = store.token_keys[0].private.sign(b"text", ec.ECDSA(hashes.SHA256()))
    ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(
        signature, b"text", ec.ECDSA(hashes.SHA256())
    )


def test_the_key_id_is_the_thumbprint_of_rfc_7638(keys_dir: Path) -> None:
    (jwk,) = KeyStore.load(keys_dir).jwks()["keys"]
    text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    assert jwk["kid"] == thumbprint
    assert len(thumbprint) == 43


def test_a_coordinate_with_leading_zeros_keeps_its_32_bytes(keys_dir: Path) -> None:
    candidates = (ec.derive_private_key(number, ec.SECP256R1()) for number in range(1, 5000))
    short = next(key for key in candidates if key.public_key().public_numbers().x < 2**248)
    write(the_token_file(keys_dir), pem(short))
    (jwk,) = KeyStore.load(keys_dir).jwks()["keys"]
    assert len(jwk["x"]) == len(jwk["y"]) == 43


def test_each_purpose_has_its_own_key_by_hkdf(keys_dir: Path) -> None:
    write(keys_dir / "secret.key", ROOT)
    store = KeyStore.load(keys_dir)
    # RFC 5869 by hand: one block, an empty salt.
    extracted = hmac.digest(bytes(32), ROOT, "sha256")
    expected = hmac.digest(extracted, b"samaki/refresh-token\x01", "sha256")
    assert store.secret("refresh-token") == expected
    assert store.digest("refresh-token", b"data") == hmac.digest(expected, b"data", "sha256")
    assert len({store.secret(name) for name in ("refresh-token", "idempotency", "cursor")} | {ROOT}) == 4


@pytest.mark.parametrize("purpose", ["", "Refresh", "refresh token", "refresh/token", "-", "ខ្មែរ"])
def test_a_mistyped_purpose_has_no_key(keys_dir: Path, purpose: str) -> None:
    with pytest.raises(ValueError, match="purpose"):
        KeyStore.load(keys_dir).secret(purpose)


def test_printing_a_key_store_shows_no_key(keys_dir: Path) -> None:
    write(keys_dir / "secret.key", ROOT)
    store = KeyStore.load(keys_dir)
    shown = f"{store!r} {store} {json.dumps(store.jwks())}"
    assert repr(ROOT)[2:-1] not in shown
    assert str(store.token_keys[0].private.private_numbers().private_value) not in shown
    assert "private" not in shown.lower()
