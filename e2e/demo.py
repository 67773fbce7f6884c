"""``make demo``: the main job on one machine. A 256K plan on simulated GPU nodes, and a tiny Gemma 4 that answers."""

import concurrent.futures
import json
import sys
from typing import Any

import yaml

from e2e.chat import Chat
from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from e2e.cluster.paths import ROOT
from e2e.progress import step
from e2e.stack import Stack
from images.engine import engine_root
from images.tiny.models import tiny_models, transcripts

SAMPLE = ROOT / "crds" / "samples" / "gemmadeployment.yaml"
CLUSTER = (
    ("demo-h100", "NVIDIA-H100-80GB-HBM3", 81559, "9.0", 8),
    ("demo-l40s", "NVIDIA-L40S", 46068, "8.9", 4),
    ("demo-rtx-4090", "NVIDIA-GeForce-RTX-4090", 24564, "8.9", 2),
)
"""Simulated nodes: name, product, memory in MiB as the driver counts it, compute capability, GPUs."""

OBJECTS = "deployments,services,poddisruptionbudgets,serviceaccounts,networkpolicies,controllerrevisions,pods"
CONDITIONS = '{range .status.conditions[*]}{.type}={.status} ({.reason}){"\\n"}{end}'


def main() -> int:
    """Entry point. The cluster is left running, to be looked at."""
    # The engine's download and the Go compiler want different things of the machine.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        engine = pool.submit(engine_root)
        Cluster.ensure("full")
        engine.result()
    tiny_models()
    stack = Stack.ensure()
    name = _plan_256k(stack)
    with step("a tiny Gemma 4 on the real node"):
        stack.cluster.apply([stack.manifest("tiny", "tiny-chat", contextLength="2K")])
        stack.wait_ready("tiny", 600)
    _show(stack, "get", "gemmadeployments")
    print(f"tiny runs for real; the pods of {name} are simulated and answer nobody, so its context is not confirmed:")
    _show(stack, "get", "gemmadeployment", name, "-o", f"jsonpath={CONDITIONS}")
    print("Why that plan:")
    plan = stack.get("gemmadeployment", name)["status"]["plan"]
    for reason in plan["reasons"]:
        print(f"  - {reason}")
    _show(stack, "get", OBJECTS, "-l", f"gemma-operator.io/deployment={name}")
    _converse(Chat(stack.address("tiny"), "tiny"))
    print(
        '\nThe cluster is still there. To go on:  eval "$(.venv/bin/python -m e2e.cluster env)"'
        f"\n  kubectl -n {stack.namespace} describe gemmadeployment {name}"
        f'\n  kubectl -n {stack.namespace} patch gd {name} --type=merge -p \'{{"spec":{{"contextLength":"128K"}}}}\''
        "\nTo stop and remove it:  make clean"
    )
    return 0


def _plan_256k(stack: Stack) -> str:
    """Simulated GPU nodes, and the sample as a user would apply it; returns its name."""
    with step("a 256K plan on simulated nodes: 8×H100, 4×L40S, 2×RTX 4090"):
        for prefix, product, memory_mib, capability, gpus in CLUSTER:
            stack.cluster.add_nodes(simulated_gpu_nodes(prefix, product, memory_mib, capability, gpus, 1))
        stack.kubectl("apply", "-f", str(SAMPLE))
        name = str(yaml.safe_load(SAMPLE.read_text())["metadata"]["name"])
        stack.wait_ready(name, 120)
    return name


def _show(stack: Stack, *arguments: str) -> None:
    """A kubectl command and what it prints."""
    print(f"\n$ kubectl {' '.join(arguments)}")
    print(stack.kubectl(*arguments))


def _converse(chat: Chat) -> None:
    """Ask what tiny-chat knows, and print what the real vLLM says."""
    print(f"\nPOST {chat.url}/v1/chat/completions")
    for transcript in transcripts():
        asked = transcript["messages"][-1]["content"]
        print(f"\n> {asked}{'  (thinking)' if transcript.get('thinking') else ''}")
        print(_told(chat.message(transcript)))


def _told(message: dict[str, Any]) -> str:
    lines = [f"  [thought] {message['reasoning'].strip()}"] if message.get("reasoning") else []
    lines += [f"  {message['content'].strip()}"] if message.get("content") else []
    for call in message.get("tool_calls") or ():
        lines.append(
            f"  [tool call] {call['function']['name']}({json.dumps(json.loads(call['function']['arguments']))})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
