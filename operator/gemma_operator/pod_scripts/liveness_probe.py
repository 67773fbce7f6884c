"""Liveness probe of the engine: the server answers, and work that is there moves.

``/health`` sees a dead engine, not a hung one. An engine hangs when requests run or wait and none of the counters
below has changed for 180 s; during a long prefill only the cache usage moves, so it is one of them. Only what is
known to be wrong fails: a page that can't be read, or a state that can't be kept, is no reason to end an engine.
Usage: liveness_probe.py PORT STATE_FILE
"""

import http.client
import json
import sys
import time
import urllib.request

STALL_SECONDS = 180
MOVING = (
    # An engine that was started anew is no longer the one that hung.
    "process_start_time_seconds",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:prefix_cache_queries_total",
    "vllm:kv_cache_usage_perc",
    "vllm:request_success_total",
    "vllm:num_preemptions_total",
)
WORK = ("vllm:num_requests_running", "vllm:num_requests_waiting")


def get(port, path):
    """The text of a page of the engine. Raises ``OSError`` or ``HTTPException``."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=8) as response:
        return response.read().decode(errors="replace")


def sums(page, names):
    """Sum of every metric of ``names`` over its label sets; a name must end where labels or the value begin."""
    found = dict.fromkeys(names, 0.0)
    for line in page.splitlines():
        name = line.split("{", 1)[0].split(" ", 1)[0]
        if name in found:
            found[name] += float(line.rsplit(" ", 1)[1])
    return found


def hung(page, state, now):
    """The new state and whether the engine hangs. ``state`` is what the last probe left, or an empty dict.

    The clock runs from the first probe that saw work; without work there is none.
    """
    if sum(sums(page, WORK).values()) <= 0:
        return {}, False
    progress = list(sums(page, MOVING).values())
    since = state.get("since", now) if state.get("progress") == progress else now
    return {"progress": progress, "since": since}, now - since > STALL_SECONDS


def stalled(page, path, now):
    """Whether the engine hangs, with the state of the last probe read from ``path`` and that of this one left there."""
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        state = None
    state, is_hung = hung(page, state if isinstance(state, dict) else {}, now)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)
    return is_hung


def main(arguments, now=time.monotonic):
    """Entry point; returns the exit code."""
    port, path = arguments
    try:
        get(port, "/health")
    except (OSError, http.client.HTTPException) as error:
        print(f"/health does not answer: {error}")
        return 1
    try:
        is_hung = stalled(get(port, "/metrics"), path, now())
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"progress is unknown: {error}")
        return 0
    if is_hung:
        print(f"requests are in the engine and nothing has moved for {STALL_SECONDS} s")
    return 1 if is_hung else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
