"""From what the database refused to a problem, by SQLSTATE and never by its words, which hold values."""

import psycopg
from sqlalchemy import exc as sa

from app.errors.problems import Conflict, Forbidden, InternalError, Invalid, Problem, Unavailable

# Classes (first two characters) and codes of SQLSTATE, PostgreSQL's manual, appendix A.
# 08 connection, 40 rollback (serialization, deadlock), 53 resources, 57 operator, 58 system.
_PASSING_CLASSES = ("08", "40", "53", "57", "58")
# Read-only after a failover, timeouts of idle and long transactions, lock not available.
_PASSING = {"25006", "25P03", "25P04", "55P03"}
_UNIQUE = {"23505", "23P01", "23001"}  # also exclusion constraints, and rows that others still point to
_INVALIDATED = "8s2b"  # SQLAlchemy: the connection broke earlier in this transaction


def is_database_error(error: Exception) -> bool:
    """Whether SQLAlchemy, the driver or its pool raised it."""
    return isinstance(error, sa.SQLAlchemyError | psycopg.Error)


def sqlstate(error: Exception) -> str | None:
    """The five characters of PostgreSQL for `error`, or None if it did not come from the server."""
    state = getattr(_driver_error(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def database_problem(error: Exception) -> Problem:
    """Unavailable for what passes by itself, the caller's fault where it is, InternalError for the rest."""
    if isinstance(error, sa.TimeoutError) or _lost_connection(error):
        return Unavailable()
    state = sqlstate(error)
    if state is None:
        return _without_state(_driver_error(error))
    if state.startswith(_PASSING_CLASSES) or state in _PASSING:
        return Unavailable()
    if state in _UNIQUE:
        return Conflict()
    if state == "42501":
        return Forbidden()
    return _invalid(state) or InternalError()


def _invalid(state: str) -> Problem | None:
    if state == "23503":
        return Invalid.at("", "unknown_reference", "An id in the body names nothing that exists.")
    if state.startswith("23"):
        return Invalid.at("", "constraint", "The details contradict one another or are incomplete.")
    if state.startswith(("22", "54")):  # data that does not fit its type, or too much of it
        return Invalid.at("", "invalid_value", "A value cannot be stored.")
    return None


def _without_state(error: BaseException | None) -> Problem:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable()
    if isinstance(error, psycopg.DataError):  # refused before it was sent, NUL in a text for one
        return Invalid.at("", "invalid_value", "A value cannot be stored.")
    return InternalError()


def _lost_connection(error: Exception) -> bool:
    if isinstance(error, sa.PendingRollbackError):
        return error.code == _INVALIDATED
    return isinstance(error, sa.DBAPIError) and error.connection_invalidated


def _driver_error(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, sa.DBAPIError) else error
