"""One JSON object a line, with the key and the id of the reconciliation that wrote it.

Kubernetes log style: capital first letter, no full stop. Bodies and headers of requests are never logged, and
what looks like a token is masked even in foreign messages (an exception text, for example). Called by ``main``.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

_context: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("log_context", default=())

_SECRETS = re.compile(
    r"(?i:bearer)\s+[A-Za-z0-9._~+/=-]{6,}"
    r"|\bhf_[A-Za-z0-9]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,2}"
)
MASK = "[masked]"


def masked(text: str) -> str:
    """The text with bearer tokens, Hub tokens and JSON web tokens replaced by ``[masked]``.

    >>> masked("401 with Bearer abc.def-ghi")
    '401 with [masked]'
    """
    return _SECRETS.sub(MASK, text)


@contextmanager
def log_fields(**fields: str) -> Iterator[None]:
    """Add these fields to every line that is logged inside, in this task and the tasks it starts."""
    token = _context.set((*_context.get(), *fields.items()))
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time (UTC), level, logger, message, context, exception."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str] = {
            **{name: masked(value) for name, value in _context.get()},
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs to ``stream`` (default: standard error) as JSON lines. Replaces earlier handlers."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("kopf", "aiohttp.access", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
