"""Is this directory a release as it was signed? Offline: only the directory and the public keys are needed."""

import hashlib
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.exports.faults import Fault
from app.exports.manifest import MANIFEST, FileEntry, Manifest
from app.exports.second_reading import differences, read_again
from app.key_pairs import thumbprint

PublicKeys = Mapping[str, Ed25519PublicKey]


def public_keys(document: bytes) -> PublicKeys:
    """The keys of a set as /.well-known/export-keys.json serves it, by `kid`. ValueError when it is none."""
    try:
        return {one["kid"]: _public_key(one) for one in json.loads(document)["keys"]}
    except (KeyError, TypeError) as error:
        raise ValueError("no set of Ed25519 keys") from error


def _public_key(one: Mapping[str, str]) -> Ed25519PublicKey:
    required = {name: one[name] for name in ("crv", "kty", "x")}
    if (one["kty"], one["crv"]) != ("OKP", "Ed25519") or one["kid"] != thumbprint(required):
        raise ValueError("not an Ed25519 key, or under the name of another")
    return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(one["x"] + "="))


def verify(directory: Path, keys: PublicKeys) -> list[Fault]:
    """Everything that is wrong, first the signature, then each file, then what the tables say; empty when all is well.

    The manifest is believed in nothing before its signature fits; then every file must be in it with its bytes; and
    then the tables are read again, so that not even the signer's word is taken for what they promise.
    """
    try:
        content = (directory / MANIFEST).read_bytes()
    except OSError:
        return [Fault("no_manifest", str(directory.name or directory))]
    try:
        manifest = Manifest.read(content)
    except ValueError:
        return [Fault("unreadable_manifest", MANIFEST)]
    signature = _signature_faults(manifest, content, keys)
    if signature:
        return signature
    faults = _file_faults(directory, manifest)
    return faults or differences(read_again(directory), manifest)


def _signature_faults(manifest: Manifest, content: bytes, keys: PublicKeys) -> list[Fault]:
    key = keys.get(manifest.signature.key)
    if key is None:
        return [Fault("foreign_key", MANIFEST)]
    value = b64decode(manifest.signature.value)
    try:
        key.verify(value, manifest.canonical())
    except InvalidSignature:
        return [Fault("wrong_signature", MANIFEST)]
    # The signature is over what was read. Blanks, the order of names, a name that stands twice and the last bits of
    # the signature's base64 are no part of it.
    as_signed = manifest.written() == content and b64encode(value).decode() == manifest.signature.value
    return [] if as_signed else [Fault("changed_manifest", MANIFEST)]


def _file_faults(directory: Path, manifest: Manifest) -> list[Fault]:
    entries = {entry.name: entry for entry in manifest.files}
    here = {path.name for path in directory.iterdir()} - {MANIFEST}
    faults = [Fault("missing_file", name) for name in sorted(entries.keys() - here)]
    faults += [Fault("extra_file", name) for name in sorted(here - entries.keys())]
    owners = {entry.sha256: entry.name for entry in manifest.files}
    for name in sorted(here & entries.keys()):
        faults += _changed(directory / name, entries[name], owners)
    return faults


def _changed(path: Path, entry: FileEntry, owners: Mapping[str, str]) -> list[Fault]:
    if path.is_symlink() or not path.is_file():
        return [Fault("changed_file", path.name, "it is no plain file")]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == entry.sha256 and path.stat().st_size == entry.bytes:
        return []
    swapped = owners.get(digest)
    return [Fault("swapped_file", path.name, swapped) if swapped else Fault("changed_file", path.name)]
