"""What every request passes before FastAPI sees it, and every answer before it leaves."""

import re
from collections.abc import Collection, Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app.edge.body_limit import BodyLimit
from app.edge.layers import METHODS, AccessLog, AnswerHeaders, LastNet, RequestId, route_template

__all__ = ["route_template", "wrap"]

_CORS_IN = ("Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID")
_CORS_OUT = ("ETag", "Idempotency-Replayed", "Location", "RateLimit", "Retry-After", "X-Request-ID")


def wrap(
    app: FastAPI,
    *,
    body_limit: int = 1_000_000,
    body_seconds: float = 20.0,
    upload_paths: re.Pattern[str] | None = None,
    message_paths: re.Pattern[str] | None = None,
    upload_limit: int = 21_000_000,
    upload_seconds: float = 600.0,
    cors_origins: Sequence[str] = (),
    docs_paths: Collection[str] = (),
) -> None:
    """Puts the edge around `app`. Limits in bytes, deadlines of whole bodies in seconds.

    Paths that `upload_paths` matches in full have the limits of uploads; who sends too much to one that `message_paths`
    matches is heard out before the refusal. `cors_origins` empty: CORS is
    closed. `docs_paths`: pages that may run script, none in production.
    """
    app.add_middleware(
        BodyLimit,
        ordinary=(body_limit, body_seconds),
        uploads=(upload_limit, upload_seconds),
        upload_paths=upload_paths,
        message_paths=message_paths,
    )
    app.add_middleware(LastNet)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=sorted(METHODS - {"OPTIONS"}),
            allow_headers=_CORS_IN,
            expose_headers=_CORS_OUT,
        )
    app.add_middleware(AnswerHeaders, docs_paths=frozenset(docs_paths))
    app.add_middleware(AccessLog)
    app.add_middleware(RequestId)  # added last, so outermost: everything below knows the id
