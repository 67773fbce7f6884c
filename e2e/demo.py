"""``make demo``: the main job on one machine. A 256K plan on simulated GPU nodes, and a tiny Gemma 4 that answers."""

import concurrent.futures
import json
import sys
from typing import Any

from e2e.chat import Chat
from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from e2e.progress import step
from e2e.stack import Stack
from images.engine import engine_root
from images.tiny.models import tiny_models, transcripts

PLANNED = {
    "apiVersion": "gemma-operator.io/v1alpha1",
    "kind": "GemmaDeployment",
    "metadata": {"name": "planned", "namespace": "models"},
    "spec": {"contextLength": "256K", "accelerators": {"products": ["L40S"]}},
}


def main() -> int:
    """Entry point. The cluster is left running, to be looked at."""
    # The engine's download and the Go compiler want different things of the machine.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        engine = pool.submit(engine_root)
        Cluster.ensure("full")
        engine.result()
    tiny_models()
    stack = Stack.ensure()
    with step("a 256K plan on simulated L40S nodes"):
        stack.cluster.add_nodes(simulated_gpu_nodes("demo-l40s", "NVIDIA-L40S", 46068, "8.9", 4, 2))
        stack.cluster.apply([PLANNED])
        stack.wait_ready("planned", 120)
    with step("a tiny Gemma 4 on the real node"):
        stack.cluster.apply([stack.manifest("assistant", "tiny-chat", contextLength="2K")])
        stack.wait_ready("assistant", 600)
    print("\n$ kubectl get gemmadeployments -o wide")
    print(stack.kubectl("get", "gemmadeployments", "-o", "wide"))
    plan = stack.get("gemmadeployment", "planned")["status"]["plan"]
    print("Why that plan:")
    for reason in plan["reasons"]:
        print(f"  - {reason}")
    _converse(Chat(stack.address("assistant"), "assistant"))
    print('\nThe cluster is still there: eval "$(.venv/bin/python -m e2e.cluster env)"; make clean removes it.')
    return 0


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
