"""Ids and codes of new rows: random, unless the demo draws them so that they are the same at every run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID, uuid4

from app.case_code import random_case_code

_ids: ContextVar[Callable[[], UUID]] = ContextVar("ids", default=uuid4)
_codes: ContextVar[Callable[[], str]] = ContextVar("codes", default=random_case_code)


def new_id() -> UUID:
    """The id of a new row."""
    return _ids.get()()


def new_case_code() -> str:
    """A fresh code; its column is unique."""
    return _codes.get()()


@contextmanager
def drawn_from(ids: Callable[[], UUID], codes: Callable[[], str]) -> Iterator[None]:
    """Within the block, and only in its own context, ids and codes come from these."""
    before = _ids.set(ids), _codes.set(codes)
    try:
        yield
    finally:
        _ids.reset(before[0])
        _codes.reset(before[1])
