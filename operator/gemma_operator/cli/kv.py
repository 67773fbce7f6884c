"""``gemmactl kv``: vLLM's KV-cache answers, for one question or a table of thousands.

A capacity planner pipes a CSV through it; the rows come back with what vLLM's allocator would say.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.cli.errors import fail
from gemma_operator.memory.kv_cache import kv_cache_fit, kv_cache_layout, max_feasible_model_len

QUESTION = (
    "variant",
    "tp",
    "kv_dtype",
    "block_size",
    "max_num_batched_tokens",
    "concurrent_batches",
    "max_model_len",
    "hybrid",
    "available_gib",
)
ANSWER = (
    "need_bytes_one_request",
    "num_blocks",
    "fits",
    "max_concurrency",
    "kv_tokens",
    "max_feasible_model_len",
)


class QuestionError(ValueError):
    """A row that can't be answered; the message names column and value."""


def answer(row: Mapping[str, str], catalog: Catalog) -> dict[str, str]:
    """vLLM's answer to one row, in the columns ``ANSWER``. Raises ``QuestionError``."""
    variant = catalog.variant(row["variant"])
    if variant is None:
        known = ", ".join(variant.id for variant in catalog.variants)
        raise QuestionError(f"variant: {row['variant']!r} is not known; use one of {known}")
    dtype = _dtype(row["kv_dtype"])
    layout = kv_cache_layout(
        variant.text,
        _positive(row, "tp"),
        dtype,
        _positive(row, "block_size"),
        hybrid=_flag(row, "hybrid"),
    )
    try:
        available_bytes = int(float(row["available_gib"]) * 2**30)
    except (ValueError, OverflowError):
        raise QuestionError(f"available_gib: {row['available_gib']!r} is not a number of GiB") from None
    in_flight = _positive(row, "max_num_batched_tokens") * _positive(row, "concurrent_batches")
    fit = kv_cache_fit(layout, available_bytes, _positive(row, "max_model_len"), in_flight)
    longest = max_feasible_model_len(layout, available_bytes, variant.max_context_tokens, in_flight)
    concurrency, tokens = fit.max_concurrency, fit.kv_tokens
    return {
        "need_bytes_one_request": str(fit.need_bytes_one_request),
        "num_blocks": str(fit.num_blocks),
        "fits": str(int(fit.fits)),
        "max_concurrency": "" if concurrency is None else str(round(concurrency, 4)),
        "kv_tokens": "" if tokens is None else str(tokens),
        "max_feasible_model_len": str(longest),
    }


def _dtype(text: str) -> KVCacheDtype:
    try:
        return KVCacheDtype(text.upper())
    except ValueError:
        raise QuestionError(f"kv_dtype: {text!r} is not known; use bf16 or fp8") from None


def _positive(row: Mapping[str, str], column: str) -> int:
    text = row[column]
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise QuestionError(f"{column}: {text!r} is not a positive integer")
    return int(text)


def _flag(row: Mapping[str, str], column: str) -> bool:
    if row[column] not in {"0", "1"}:
        raise QuestionError(f"{column}: {row[column]!r} is neither 1 nor 0")
    return row[column] == "1"


def _questions(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """Column names and numbered rows of a CSV file, or of standard input for ``-``."""
    try:
        lines = sys.stdin if str(path) == "-" else path.open(newline="", encoding="utf-8")
    except OSError as error:
        fail(f"--csv: {path}: {error.strerror}")
    reader = csv.DictReader(lines)
    columns = list(reader.fieldnames or ())
    missing = [column for column in QUESTION if column not in columns]
    if missing:
        fail(f"--csv: {path}: columns missing: {', '.join(missing)}; needed are {', '.join(QUESTION)}")
    return columns, ((reader.line_num, row) for row in reader)


def kv(
    csv_path: Annotated[
        Path,
        typer.Option(
            "--csv", metavar="FILE", help=f"Questions, one a row ('-' reads standard input): {', '.join(QUESTION)}."
        ),
    ],
) -> None:
    """Answer KV-cache questions as vLLM's own allocator does, to the byte.

    Writes the rows of FILE to standard output with need_bytes_one_request, num_blocks, fits, max_concurrency,
    kv_tokens and max_feasible_model_len. Nothing is written when a row can't be answered.
    """
    catalog = builtin_catalog()
    columns, rows = _questions(csv_path)
    answered = []
    for line, row in rows:
        try:
            if None in row.values():
                raise QuestionError("fewer values than columns")
            answered.append(row | answer(row, catalog))
        except (QuestionError, ValueError) as error:
            fail(f"--csv: {csv_path}: line {line}: {error}")
    kept = [column for column in columns if column not in ANSWER]
    writer = csv.DictWriter(sys.stdout, [*kept, *ANSWER], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(answered)
