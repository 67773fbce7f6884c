"""Understands why an engine refused to start, from the text of its termination message.

vLLM writes its errors to the termination log (see ``environment``), so a refusal is read from the pod's status and
nobody needs the permission to read logs. The numbers correct the next plan.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

GIB = 2**30


class Cause(StrEnum):
    """What kind of memory was missing, and so who must change something."""

    POOL_TOO_SMALL = "KVPoolTooSmall"
    NO_POOL = "NoKVPool"
    FOREIGN_MEMORY = "ForeignMemory"
    OUT_OF_MEMORY = "OutOfMemory"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in vLLM's words, with its numbers in bytes and tokens where it told any."""

    cause: Cause
    sentence: str
    needed_bytes: int | None = None
    available_bytes: int | None = None
    longest_tokens: int | None = None


POOL = re.compile(
    r"To serve at least one request.*?\((?P<length>\d+)\).*?\(?(?P<needed>[\d.]+) GiB KV cache is needed.*?"
    r"available KV cache memory \((?P<available>[\d.]+) GiB\)",
    re.DOTALL,
)
LONGEST = re.compile(r"estimated maximum model length is (?P<tokens>\d+)")
FOREIGN = re.compile(
    r"Free memory on device.*?\((?P<free>[\d.]+)/(?P<total>[\d.]+) GiB\).*?less than desired", re.DOTALL
)
PLAIN = (
    (re.compile(r"No available memory for the cache blocks"), Cause.NO_POOL),
    (re.compile(r"CUDA out of memory|torch\.OutOfMemoryError|OutOfMemoryError"), Cause.OUT_OF_MEMORY),
)
MAX_SENTENCE = 600


def parse_refusal(termination_message: str) -> Refusal | None:
    """The refusal in a termination message; ``None`` where there is no message at all.

    An error that is none of the known ones is ``OTHER`` with its last line as the sentence.
    """
    text = termination_message.strip()
    if not text:
        return None
    if pool := POOL.search(text):
        longest = LONGEST.search(text)
        return Refusal(
            Cause.POOL_TOO_SMALL,
            _sentence(text, pool.start()),
            needed_bytes=_gib(pool["needed"]),
            available_bytes=_gib(pool["available"]),
            longest_tokens=int(longest["tokens"]) if longest else None,
        )
    if foreign := FOREIGN.search(text):
        sentence = _sentence(text, foreign.start())
        return Refusal(Cause.FOREIGN_MEMORY, sentence, available_bytes=_gib(foreign["free"]))
    for pattern, cause in PLAIN:
        if found := pattern.search(text):
            return Refusal(cause, _sentence(text, found.start()))
    return Refusal(Cause.OTHER, text.splitlines()[-1][:MAX_SENTENCE])


def _gib(text: str) -> int:
    return int(float(text.rstrip(".")) * GIB)


def _sentence(text: str, start: int) -> str:
    return " ".join(text[start:].split())[:MAX_SENTENCE]
