"""Answers of the API server that are no success, as exceptions.

Raised by ``client``; the queue reads ``retry_after_seconds``. Messages come from the server's Status object and
hold no header and no body.
"""

import json


class ApiError(Exception):
    """A request failed. ``status`` is the HTTP code, 0 where no answer came."""

    def __init__(self, status: int, reason: str, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else f"{reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class UnreachableError(ApiError):
    """No answer: connection refused, cut, or timed out. A write may or may not have happened."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class NotFoundError(ApiError):
    """404: the object (or its kind) does not exist."""


class ConflictError(ApiError):
    """409: a precondition failed, the object exists, or another manager owns a field."""


class GoneError(ApiError):
    """410: a continue token or resource version has expired."""


class ForbiddenError(ApiError):
    """403: the service account lacks the permission, or admission said no."""


class InvalidError(ApiError):
    """422: the object breaks a rule of its schema, or the UID in an apply is not the one that lives."""


class ThrottledError(ApiError):
    """429: the server asks for fewer requests."""


class NotLeadingError(Exception):
    """A write was stopped before it was sent, because this process no longer holds the Lease."""


_BY_STATUS: dict[int, type[ApiError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    422: InvalidError,
    429: ThrottledError,
}


def error_from(status: int, http_reason: str, retry_after: str | None, body: bytes) -> ApiError:
    """The exception for an answer. ``Retry-After`` counts in seconds only, as Kubernetes sends it."""
    reason, message = http_reason, ""
    try:
        document = json.loads(body)
        reason, message = document.get("reason") or http_reason, document.get("message") or ""
    except (ValueError, AttributeError):
        message = body[:200].decode(errors="replace")
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return _BY_STATUS.get(status, ApiError)(status, reason, message, seconds)
