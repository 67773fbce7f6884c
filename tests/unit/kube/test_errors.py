"""Answers of the API server as exceptions."""

import json

import pytest

from gemma_operator.kube import errors
from gemma_operator.kube.errors import ApiError, error_from


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (410, errors.GoneError),
        (422, errors.InvalidError),
        (429, errors.ThrottledError),
        (500, ApiError),
    ],
)
def test_each_code_has_its_exception_with_the_words_of_the_server(status: int, kind: type[ApiError]) -> None:
    body = json.dumps({"kind": "Status", "reason": "Because", "message": "it is so"}).encode()
    error = error_from(status, "HTTP words", None, body)
    assert type(error) is kind
    assert str(error) == f"{status} Because: it is so"


@pytest.mark.parametrize("body", [b"", b"upstream timed out", b"[]", b'"text"', b"\xff\xfe"])
def test_an_answer_that_is_no_status_object_is_still_an_error(body: bytes) -> None:
    error = error_from(502, "Bad Gateway", None, body)
    assert (error.status, error.reason) == (502, "Bad Gateway")


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_retry_after_counts_in_seconds(header: str | None, seconds: float | None) -> None:
    assert error_from(429, "Too Many Requests", header, b"{}").retry_after_seconds == seconds
