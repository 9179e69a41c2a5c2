"""The refusal of a whole release."""


class Refused(Exception):  # noqa: N818 - says what happened
    """Nothing of this cohort may be released.

    `code`: `cohort_too_small`, `unknown_code`, `nothing_left`, `audit_failed`, `second_reading`. `column` and `value`:
    which code is unknown, where it looks like a code; anything else stays unsaid.
    """

    def __init__(self, code: str, *, column: str | None = None, value: str | None = None) -> None:
        self.code, self.column, self.value = code, column, value
        super().__init__(code if column is None else f"{code}: {column} `{value}`")
