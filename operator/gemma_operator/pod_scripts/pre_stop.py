"""preStop hook of the engine: lets every accepted request end before the process is told to stop.

Sets the drain flag (the middleware then closes connections), waits until the Service has noticed and until nothing
runs or waits, at most the drain time-out. Roll-outs, evictions, node drains and scale-downs all pass here. An engine
that hangs, by the rule of the liveness probe (which asks no more by now), is not waited for.
An engine that never listened is still loading: it would ignore SIGTERM and hold its GPUs for the whole grace period,
so it is ended here. Nobody has sent it anything yet.
Usage: pre_stop.py PORT DRAIN_SECONDS FLAG_FILE
"""

import contextlib
import http.client
import os
import signal
import socket
import sys
import time
import urllib.request

SETTLE_SECONDS = 10
"""Every wait lasts this long at least: until then new connections may still arrive from a Service."""

POLL_SECONDS = 0.5
SILENCES = 3
POD_MARK = "/etc/podinfo/labels"
"""Only a pod has it. Elsewhere no process is ended."""

STALL_SECONDS = 180
MOVING = (
    "process_start_time_seconds",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:prefix_cache_queries_total",
    "vllm:kv_cache_usage_perc",
    "vllm:request_success_total",
    "vllm:num_preemptions_total",
)
WORK = ("vllm:num_requests_running", "vllm:num_requests_waiting")


def look(port):
    """Requests in the engine, ``None`` when it does not tell; and all of its page that moves while it works."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
            lines = response.read().decode(errors="replace").splitlines()
        named = [(line.split("{")[0].split(" ")[0], line) for line in lines]
        counts = [float(line.rsplit(" ", 1)[1]) for name, line in named if name in WORK]
    except (OSError, http.client.HTTPException, ValueError):
        return None, []
    return sum(counts) if counts else None, [line for name, line in named if name in MOVING]


def listens(port):
    """Whether a connection is taken, or at least not refused at once."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def engine_processes(uid):
    """Process numbers of that user whose command line names vLLM; this process is none of them."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and int(entry) != os.getpid() and os.stat(f"/proc/{entry}").st_uid == uid:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if b"vllm" in file.read().lower():
                        found.append(int(entry))
    return found


def end_loading_engine():
    """Kill it: SIGTERM is not heard before the server listens."""
    if os.path.exists(POD_MARK):
        for process in engine_processes(os.getuid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def main(arguments, settle_seconds=SETTLE_SECONDS):
    """Entry point. Always succeeds: a hook that fails would only cut the wait short."""
    port, drain_seconds, flag = int(arguments[0]), float(arguments[1]), arguments[2]
    started, silent, told, last = time.monotonic(), 0, False, None
    with contextlib.suppress(OSError), open(flag, "w", encoding="utf-8") as file:
        file.write("draining\n")
    settled, moved = started + settle_seconds, started
    while time.monotonic() < max(settled, started + drain_seconds):
        count, progress = look(port)
        if progress != last:
            last, moved = progress, time.monotonic()
        hangs = time.monotonic() - moved > STALL_SECONDS
        silent = silent + 1 if count is None else 0
        told = told or count is not None
        if time.monotonic() >= settled and (count == 0 or silent >= SILENCES or hangs):
            break
        time.sleep(POLL_SECONDS)
    if not told and not listens(port):
        end_loading_engine()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
