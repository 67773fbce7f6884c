"""The operator's KV arithmetic equals what vLLM 0.32's own planning functions answered, row by row.

The rows were made by vLLM's code for all variants, tensor parallel sizes, dtypes, block sizes, batch settings and
pool sizes, with the hybrid manager on and off.
"""

import csv
from collections import Counter
from pathlib import Path

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.cli.kv import ANSWER, answer
from gemma_operator.memory.weights import text_buffer_bytes_per_rank, text_param_bytes_per_rank

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "vllm_kv_answers.csv").open(newline="")))
CATALOG = builtin_catalog()


def test_every_answer_of_vllm_is_equal_to_the_byte() -> None:
    outcomes: Counter[bool] = Counter()
    wrong = []
    for row in ROWS:
        given = answer(row, CATALOG)
        equal = all(given[column] == row[column] for column in ANSWER)
        outcomes[equal] += 1
        if not equal:
            wrong.append((row, given))
    assert not wrong, f"{len(wrong)} of {len(ROWS)} rows differ, the first: {wrong[0]}"
    assert outcomes[True] == 3096


def test_text_tower_weights_of_every_rank_equal_those_of_vllms_model() -> None:
    seen = {
        (row["variant"], int(row["tp"])): (
            int(row["text_param_bytes_per_rank"]),
            int(row["text_buffer_bytes_per_rank"]),
        )
        for row in ROWS
    }
    assert len(seen) == 20
    for (name, tensor_parallel_size), (params, buffers) in seen.items():
        variant = CATALOG.variant(name)
        assert variant is not None
        assert text_param_bytes_per_rank(variant.text, tensor_parallel_size) == params, (name, tensor_parallel_size)
        assert text_buffer_bytes_per_rank(variant.text) == buffers, name
