"""What is wrong with a directory that should hold a release."""

from dataclasses import dataclass

SAID = {
    "no_manifest": "there is no manifest.json, so nothing here can be verified",
    "unreadable_manifest": "is not the manifest of an export",
    "changed_manifest": "is not written as it was signed: something in it was changed",
    "foreign_key": "is signed with a key that is none of the given ones",
    "wrong_signature": "does not fit its signature: something in it was changed",
    "missing_file": "is in the manifest and not here",
    "extra_file": "is here and not in the manifest",
    "swapped_file": "is another file of this release under a wrong name",
    "changed_file": "is not what was signed: its bytes were changed",
    "unreadable_table": "cannot be read as the table that it should be",
    "other_order": "is not in canonical order, which may tell who is who",
    "other_rows": "does not hold the rows of its table",
    "other_figures": "reads otherwise than the manifest says",
    "broken_promise": "does not keep what the manifest promises",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a code of `SAID`, the file, and which figure where there is one."""

    code: str
    file: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.file} {SAID[self.code]}{f' ({self.what})' if self.what else ''}"
