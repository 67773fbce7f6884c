"""Liveness probe of the engine: the server answers, and work that is there moves.

``/health`` sees a dead engine, not a hung one. An engine hangs when requests run or wait and none of the counters
below has changed for 180 s; during a long prefill only the cache usage moves, so it is one of them.
Usage: liveness_probe.py PORT STATE_FILE
"""

import json
import sys
import time
import urllib.request

STALL_SECONDS = 180
MOVING = (
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:prefix_cache_queries_total",
    "vllm:kv_cache_usage_perc",
    "vllm:request_success_total",
    "vllm:num_preemptions_total",
)
WORK = ("vllm:num_requests_running", "vllm:num_requests_waiting")


def sums(page, names):
    """Sum of every metric of ``names`` over its label sets; a name must end where labels or the value begin."""
    found = dict.fromkeys(names, 0.0)
    for line in page.splitlines():
        name = line.split("{", 1)[0].split(" ", 1)[0]
        if name in found:
            found[name] += float(line.rsplit(" ", 1)[1])
    return found


def hung(page, state, now):
    """The new state and whether the engine hangs. ``state`` is what the last probe left, or an empty dict."""
    progress = list(sums(page, MOVING).values())
    working = sum(sums(page, WORK).values()) > 0
    since = state.get("since", now) if working and state.get("progress") == progress else now
    return {"progress": progress, "since": since}, now - since > STALL_SECONDS


def main(arguments):
    """Entry point; returns the exit code."""
    port, path = arguments
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=8) as response:
        response.read()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=8) as response:
        page = response.read().decode(errors="replace")
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        state = {}
    state, is_hung = hung(page, state, time.monotonic())
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)
    if is_hung:
        print(f"requests are in the engine and nothing has moved for {STALL_SECONDS} s")
    return 1 if is_hung else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
