"""Nothing that a pod of the real node's network sends leaves the machine, and every attempt is counted.

The packet filter refuses, at once, what pods address to anything but pods, services and this node. It counts
before it routes, so that a machine without a network of its own sees attempts too: the counters are the proof
that a scenario made no connection outwards. Questions for names count apart: there is no DNS server to ask.
"""

import re
import subprocess
from dataclasses import dataclass

from e2e.cluster.paths import NODE_ADDRESS, POD_RANGE, SERVICE_RANGE

CHAIN = "GEMMA-EGRESS"
INSIDE = (POD_RANGE, SERVICE_RANGE, NODE_ADDRESS)
COUNTED = re.compile(rf'^\[(\d+):\d+\] -A {CHAIN} .*--comment "?(outside|names)"?', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EgressAttempts:
    """Packets since the real node started: to addresses outside, and questions for names."""

    outside: int
    names: int


def close_egress() -> None:
    """Put the chains in place; nothing changes where they are already.

    kube-proxy later puts its own chains before these; they accept only what belongs to an open connection.
    """
    asked = [f"-p {protocol} --dport 53 -m comment --comment names -j RETURN" for protocol in ("udp", "tcp")]
    inside = [f"-d {where} -j RETURN" for where in INSIDE]
    _add("mangle", "PREROUTING", [*asked, *inside, "-m comment --comment outside -j RETURN"])
    _add("filter", "FORWARD", [*inside, "-j REJECT --reject-with icmp-net-prohibited"])


def egress_attempts() -> EgressAttempts:
    """What pods tried so far. Raises ``RuntimeError`` when nothing is watched: a zero would say too much."""
    counts = {"outside": 0, "names": 0}
    found = COUNTED.findall(_saved("mangle", "-c"))
    if {what for _, what in found} != set(counts):
        raise RuntimeError("nothing watches the pods' network; start the cluster in mode full")
    for packets, what in found:
        counts[what] += int(packets)
    return EgressAttempts(**counts)


def _add(table: str, hook: str, rules: list[str]) -> None:
    if f"-A {CHAIN} " in _saved(table):
        return
    lines = [f"*{table}", f":{CHAIN} - [0:0]", *(f"-A {CHAIN} {rule}" for rule in rules)]
    text = "\n".join([*lines, f"-I {hook} 1 -s {POD_RANGE} -j {CHAIN}", "COMMIT", ""])
    command = ["iptables-restore", "--noflush"]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"iptables-restore refused to watch the pods' network: {result.stderr.strip()}")


def _saved(table: str, *options: str) -> str:
    command = ["iptables-save", "-t", table, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
