"""From vLLM's metrics page to a sample: every series that the autoscaler reads, summed over the engines of a server.

Called by the scraper of the controller. A page that is not whole gives no sample: a counter that is missing from one
page and back on the next would look like a flood of requests. Names and meaning: vLLM 0.32, recorded under load.
"""

import math
from collections.abc import Callable

from gemma_operator.autoscaling.sample import Histogram, Sample
from gemma_operator.vllm.metrics import RUNNING, WAITING, Labels, select

KV_USAGE = "vllm:kv_cache_usage_perc"
PROMPT_TOKENS = "vllm:prompt_tokens_total"
SCHEDULED_TOKENS = "vllm:prefix_cache_queries_total"
"""Moves when a prompt is scheduled; ``prompt_tokens`` only when its prefill has ended."""

CACHED_TOKENS = "vllm:prompt_tokens_cached_total"
GENERATION_TOKENS = "vllm:generation_tokens_total"
PREEMPTIONS = "vllm:num_preemptions_total"
REJECTIONS = "vllm:admission_rejections_total"
ANSWERED = "http_requests_total"
PROMPT_LENGTHS = "vllm:request_prompt_tokens"
ANSWER_LENGTHS = "vllm:request_generation_tokens"
FIRST_TOKEN = "vllm:time_to_first_token_seconds"  # noqa: S105 - a metric
INTER_TOKEN = "vllm:inter_token_latency_seconds"  # noqa: S105

HISTOGRAMS = (PROMPT_LENGTHS, ANSWER_LENGTHS, FIRST_TOKEN, INTER_TOKEN)
NEEDED = (RUNNING, WAITING, KV_USAGE, PROMPT_TOKENS, GENERATION_TOKENS, PREEMPTIONS)
NAMES = (
    *NEEDED,
    SCHEDULED_TOKENS,
    CACHED_TOKENS,
    REJECTIONS,
    ANSWERED,
    *(f"{name}_bucket" for name in HISTOGRAMS),
    *(f"{name}_sum" for name in HISTOGRAMS),
)
COMPLETIONS = frozenset({"/v1/completions", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/invocations"})
"""Handlers whose requests generate; the others cost an engine nothing that matters."""

Series = list[tuple[Labels, float]]


def read_sample(page: str, at_seconds: float) -> Sample | None:
    """The sample of a page that was asked for at ``at_seconds``; ``None`` unless the page is whole and a number each.

    A family that vLLM shows only once something happened (answers, rejections) is zero until then.
    """
    if not _is_whole(page):
        return None
    found = select(page, NAMES)
    histograms = {name: _histogram(found[f"{name}_bucket"], found[f"{name}_sum"]) for name in HISTOGRAMS}
    if any(not found[name] for name in NEEDED) or any(histogram is None for histogram in histograms.values()):
        return None
    if not all(math.isfinite(value) for series in found.values() for _, value in series):
        return None
    known = {name: histogram for name, histogram in histograms.items() if histogram is not None}
    prompt_tokens = _sum(found[PROMPT_TOKENS])
    return Sample(
        at_seconds=at_seconds,
        running=_sum(found[RUNNING]),
        waiting=_sum(found[WAITING]),
        kv_usage=_sum(found[KV_USAGE]) / len(found[KV_USAGE]),
        prompt_tokens=prompt_tokens,
        scheduled_prompt_tokens=_sum(found[SCHEDULED_TOKENS]) if found[SCHEDULED_TOKENS] else prompt_tokens,
        cached_prompt_tokens=_sum(found[CACHED_TOKENS]),
        generation_tokens=_sum(found[GENERATION_TOKENS]),
        answered=_sum(found[ANSWERED], _is_answer),
        rejected=_sum(found[REJECTIONS]),
        preemptions=_sum(found[PREEMPTIONS]),
        prompt_lengths=known[PROMPT_LENGTHS],
        answer_lengths=known[ANSWER_LENGTHS],
        time_to_first_token_seconds=known[FIRST_TOKEN],
        inter_token_seconds=known[INTER_TOKEN],
    )


def _is_whole(page: str) -> bool:
    """Whether the page reaches beyond the family of answered requests, which comes near its end.

    That family's head is always there, its lines only after the first request: they could be cut off unseen.
    """
    head = page.find(f"# TYPE {ANSWERED} ")
    return head >= 0 and "\n# HELP " in page[head:] and page.endswith("\n")


def _is_answer(labels: Labels) -> bool:
    """An answer that took a place in the engine. Clients that hang up end as 2xx; those turned away are 5xx."""
    return labels.get("handler") in COMPLETIONS and labels.get("status") == "2xx"


def _sum(series: Series, counts: Callable[[Labels], bool] = lambda _: True) -> float:
    return sum(value for labels, value in series if counts(labels))


def _histogram(buckets: Series, sums: Series) -> Histogram | None:
    """The histogram over all engines; ``None`` unless each has its last bucket and its sum."""
    counts: dict[float, float] = {}
    for labels, value in buckets:
        try:
            bound = float(labels.get("le", ""))
        except ValueError:
            return None
        counts[bound] = counts.get(bound, 0.0) + value
    whole = sum(labels.get("le") == "+Inf" for labels, _ in buckets)
    if not sums or whole != len(sums):
        return None
    return Histogram(tuple(sorted(counts.items())), _sum(sums))
