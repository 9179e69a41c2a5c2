"""One JSON object per line on standard output, allow-listed keys only: ids, never names, never bodies."""

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from app import metrics

KEYS = frozenset(
    {
        "event",
        "level",
        "at",
        "request_id",
        "actor_id",
        "case_id",
        "session_id",
        "organisation_id",
        "job_id",
        "route",
        "method",
        "status",
        "ms",
        "code",
        "count",
        "error_type",
        "where",
        "worker",
        "pid",
        "port",
        "version",
        "revision",
        "seconds",
    }
)

_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:[.:][a-z0-9_]+)*")
_TEXT = re.compile(r"[!-~]{0,200}")  # codes, ids, templates: no space, no Khmer, so no name passes by mistake
_ROOT = Path(__file__).parent.parent
# Of other people's messages only these are let through: fixed words, and the address that is listened on.
_SERVER_LINES = frozenset(
    {
        "Started server process [%d]",
        "Waiting for application startup.",
        "Application startup complete.",
        "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)",
        "Shutting down",
        "Waiting for application shutdown.",
        "Application shutdown complete.",
        "Finished server process [%d]",
    }
)


# Of the request that this task answers: its answer ends early, and the log says why.
_cut_on_purpose: ContextVar[bool] = ContextVar("cut_on_purpose", default=False)
_UNFINISHED = "ASGI callable returned without completing response."


class AlreadyTold(Exception):  # noqa: N818 - ends a request, and is no fault
    """Ends an answer that is on its way, and stands in the log already: it is no failure, and told no second time."""


def expect_unfinished() -> None:
    """The server's own line on an answer without an end would be an alarm for what is wanted."""
    _cut_on_purpose.set(True)


def _stamp(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    event["level"] = level
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _reduce_exception(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    """An exception becomes its type and the place in our code: its words may be a name, its frames a case."""
    raised = event.pop("exc_info", None)
    if isinstance(raised, tuple):
        raised = raised[1]
    elif raised and not isinstance(raised, BaseException):
        raised = sys.exc_info()[1]
    if isinstance(raised, BaseException):
        event["error_type"] = f"{type(raised).__module__}.{type(raised).__qualname__}"
        event["where"] = _place(raised)
    return event


def _place(raised: BaseException) -> str:
    """`app/services/cases.py:42`: the innermost line of ours that it passed, else the innermost of all."""
    place, trace = "unknown", raised.__traceback__
    found_ours = False
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        ours = file.is_relative_to(_ROOT / "app")
        if ours or not found_ours:
            name = file.relative_to(_ROOT) if ours else file.name
            place, found_ours = f"{name}:{trace.tb_lineno}", ours or found_ours
        trace = trace.tb_next
    return place


def _allow(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    """Keeps the allow-list, plain values and event names that are names; says how many keys it dropped."""
    listed = {key: _plain(value) for key, value in event.items() if key in KEYS}
    kept: EventDict = {key: value for key, value in listed.items() if value is not None}
    if not _EVENT.fullmatch(str(kept.get("event", ""))):
        kept["event"] = "unnamed"  # a sentence may have a person in it
    dropped = sum(1 for key, value in event.items() if key not in kept and value is not None)
    if dropped:
        metrics.log_keys_dropped.inc(dropped)
        kept["dropped"] = dropped
    return kept


def _plain(value: object) -> str | int | float | None:
    """Ids, numbers, times and codes as JSON can hold them; None for anything else."""
    if isinstance(value, str):
        return value if _TEXT.fullmatch(value) else None
    if isinstance(value, int | float):
        return value
    return str(value) if isinstance(value, UUID | date) else None


class _Lines:
    """Writes lines to a stream, or to whatever standard output is at that moment."""

    stream: TextIO | None = None

    def msg(self, line: str) -> None:
        """One line, flushed, so that a killed process has told what it knew."""
        print(line, file=self.stream or sys.stdout, flush=True)

    debug = info = warning = error = critical = msg


class _Foreign(logging.Handler):
    """Takes the records of the standard library: logger, level and, of the server, its fixed lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never formats a record whose words are not known beforehand."""
        known = record.name == "uvicorn.error" and record.msg in _SERVER_LINES
        if _cut_on_purpose.get() and record.msg == _UNFINISHED:
            return
        if record.levelno < logging.WARNING and not known:
            return
        line: EventDict = {"event": "library.message", "exc_info": record.exc_info}
        for process in (_stamp, _reduce_exception, _allow):
            line = process(None, record.levelname.lower(), line)
        line["logger"] = record.name
        if known:
            line["message"] = record.getMessage()
        _lines.msg(str(_render(None, "", line)))


_lines = _Lines()
_render = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
_processors: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _stamp,
    _reduce_exception,
    _allow,
    _render,
]

# Built here and not by configure(), so that no command that forgets to configure can print more than this.
log: FilteringBoundLogger = structlog.wrap_logger(
    _lines,
    processors=_processors,
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    cache_logger_on_first_use=True,
)


def current_request_id() -> str | None:
    """The id of the request that is being answered, as every line of its log has it."""
    found = structlog.contextvars.get_contextvars().get("request_id")
    return found if isinstance(found, str) else None


def configure(stream: TextIO | None = None) -> None:
    """Routes every library's messages through the allow-list; `stream` replaces standard output."""
    _lines.stream = stream
    structlog.configure(processors=_processors, logger_factory=lambda *_: _lines)
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # it holds raw paths; app.edge writes its own line
