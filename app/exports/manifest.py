"""What stands beside the tables of a release: what they are, what was hidden, how well they withstand; signed."""

import json
from base64 import b64encode
from datetime import UTC
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.exports.content import NarrowTable, Release
from app.exports.measures import Measures
from app.key_pairs import ExportKey

MANIFEST = "manifest.json"

# None of these begins a formula in a spreadsheet, ends a cell of a CSV, or leads out of a directory.
CODE = r"^[a-z0-9][a-z0-9_+-]*$"
Code = Annotated[str, Field(pattern=CODE, max_length=64)]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*\.[a-z]+$", max_length=80)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileEntry(_Part):
    """One file; `rows` is null where it is no table."""

    name: FileName
    sha256: Digest
    bytes: Count
    rows: Count | None


class ProfileEntry(_Part):
    """By which rules: the hash is of the profile's canonical bytes."""

    name: Code
    version: Count
    hash: Digest


class Promise(_Part):
    """What every table keeps; `l` stands with each column, since it is smaller where there are two values only."""

    k: Count
    max_posterior: Share
    max_base_risk: Share


class Risk(_Part):
    """The measures of one table, or the worst of all (app/exports/measures.py says what each is, and by whom)."""

    k: Count
    l: Count  # noqa: E741 - the letter of l-diversity
    max_t: Share
    max_posterior: Share
    prosecutor_risk: Share
    journalist_risk: Share
    marketer_risk: Share


class ColumnEntry(Risk):
    """One attribute with its narrow table. `rows_in` = `rows_out` + `suppressed`; `withheld` rows are in `rows_out`."""

    attribute: Code
    base: tuple[Code, ...]
    rung: Code
    why: Code
    promised_l: Count
    rows_in: Count
    rows_out: Count
    suppressed: Count
    withheld: Count
    classes: Count
    smallest_cell: Count


class Omission(_Part):
    """An attribute that is not told at all, and the code of why."""

    attribute: Code
    why: Code


class AuditEntry(_Part):
    """How many hidden cells were attacked by linear programming, and how many gave way (0 in what is released)."""

    cells: Count
    pinned: Count


class Signature(_Part):
    """Ed25519 over the canonical bytes of all the rest; `key` is the `kid` at /.well-known/export-keys.json."""

    algorithm: Literal["Ed25519"]
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class Statement(_Part):
    """Everything that is signed. `rung` is the one by the size of the cohort alone; a column may have a coarser one."""

    format: Literal["samaki-export/1"] = "samaki-export/1"
    profile: ProfileEntry
    period: Annotated[str, Field(pattern=r"^[0-9]{4}Q[1-4]$")]
    frozen_at: AwareDatetime
    software: Annotated[str, Field(min_length=1, max_length=64)]
    rung: Code
    rows_in: Count
    promise: Promise
    risk: Risk
    columns: tuple[ColumnEntry, ...]
    omitted: tuple[Omission, ...]
    audit: AuditEntry
    files: tuple[FileEntry, ...] = ()

    def canonical(self) -> bytes:
        """The bytes that are signed: JSON with sorted names and no white space, in UTF-8, without the signature."""
        data = self._data()
        data.pop("signature", None)
        return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def signed(self, signer: ExportKey) -> "Manifest":
        """The same with its signature."""
        value = b64encode(signer.sign(self.canonical())).decode()
        signature = Signature(algorithm="Ed25519", key=signer.kid, value=value)
        return Manifest(**{name: getattr(self, name) for name in Statement.model_fields}, signature=signature)

    def _data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Manifest(Statement):
    """A statement with its signature: what manifest.json holds."""

    signature: Signature

    def written(self) -> bytes:
        """The file, for people to read too. There is one way only to write a manifest."""
        text = json.dumps(self._data(), sort_keys=True, indent=2, ensure_ascii=False)
        return text.encode() + b"\n"

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The manifest in these bytes. ValueError (pydantic's) when there is none."""
        return cls.model_validate_json(content)


def stated(release: Release, measures: dict[str, Measures], software_version: str) -> Statement:
    """What is to be said of a release, before its files are known. `measures`: by attribute."""
    profile = release.profile
    return Statement(
        profile=ProfileEntry(name=profile.name, version=profile.version, hash=profile.hash),
        period=release.period,
        frozen_at=release.frozen_at.astimezone(UTC),
        software=software_version,
        rung=release.rung,
        rows_in=release.rows_in,
        promise=Promise(k=profile.k, max_posterior=profile.largest_posterior, max_base_risk=profile.largest_base_risk),
        risk=_worst(list(measures.values())),
        columns=tuple(_column(table, measures[table.attribute], release) for table in release.tables),
        omitted=tuple(Omission(attribute=name, why=why) for name, why in sorted(release.omitted.items())),
        audit=AuditEntry(cells=release.audit.cells, pinned=release.audit.pinned),
    )


def _column(table: NarrowTable, found: Measures, release: Release) -> ColumnEntry:
    return ColumnEntry(
        attribute=table.attribute,
        base=tuple(table.cells.columns[:-2]),
        rung=table.rung,
        why=table.why,
        promised_l=release.profile.attribute(table.attribute).l,
        rows_in=release.rows_in,
        rows_out=found.rows,
        suppressed=table.suppressed,
        withheld=table.withheld,
        classes=found.classes,
        smallest_cell=found.smallest_cell,
        **_risk(found),
    )


def _risk(found: Measures) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Risk.model_fields}


def _worst(all_found: list[Measures]) -> Risk:
    """The smallest k and l, the largest of everything else."""
    worst = {name: max(getattr(one, name) for one in all_found) for name in Risk.model_fields}
    return Risk(**worst | {name: min(getattr(one, name) for one in all_found) for name in ("k", "l")})
