"""The description of the API: every status that an operation can answer, and an example for each operation."""

from typing import Any

from fastapi import FastAPI


def describe(app: FastAPI) -> None:
    """Placeholder until the operations exist."""
    _ = app


Any_ = Any
