"""Startup probe of the engine: one real completion, and the promised context length.

``/health`` is 200 before the first request ever ran, and a checkpoint that crashes on its first forward pass would
go Ready. Exit 0 passes. Only the standard library; runs in the pod, so pods become Ready with the operator away.
Usage: startup_probe.py PORT CONTEXT_TOKENS
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 55


def post(port, path, body):
    """Status and parsed answer of a request to the engine. The key comes from the pod's own environment."""
    headers = {"Content-Type": "application/json"}
    key = os.environ.get("VLLM_API_KEY")
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, None


def running(port):
    """Requests that the engine works on; a restarted container may meet a full queue."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = response.read().decode(errors="replace").splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vllm:num_requests_running{"))


def failure(port, context_tokens):
    """Why the engine is not started, or an empty text. No model is named: served names and adapters don't matter."""
    status, _ = post(port, "/v1/completions", {"prompt": [2], "max_tokens": 1, "temperature": 0})
    if status != 200 and not (status == 503 and running(port) > 0):
        return f"a completion of one token was answered with {status}"
    status, answer = post(port, "/tokenize", {"prompt": "a"})
    length = (answer or {}).get("max_model_len")
    if status != 200 or not isinstance(length, int):
        return f"/tokenize was answered with {status} and no context length"
    if length < context_tokens:
        return f"the engine runs with a context of {length} tokens, promised are {context_tokens}"
    return ""


def main(arguments):
    """Entry point; returns the exit code."""
    try:
        reason = failure(int(arguments[0]), int(arguments[1]))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = f"the engine does not answer yet: {error}"
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
