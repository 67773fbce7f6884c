"""One request on its way through the simulation, and how it ended."""

from enum import IntEnum


class Outcome(IntEnum):
    """How a request ended. Each ends as exactly one."""

    UNFINISHED = 0
    ANSWERED = 1
    SHED = 2
    LOST = 3


class Request:
    """A request; mutable, since millions of small changes are made to it.

    ``to_compute`` are tokens whose prefill is due (after a preemption the answer so far among them), ``computed`` those
    of them that are done, ``to_generate`` answer tokens still to come. Times in seconds, −1 until known.
    """

    __slots__ = (
        "answer_tokens", "arrived", "computed", "ended", "first_token", "outcome", "prompt_tokens", "to_compute",
        "to_generate",
    )  # fmt: skip

    def __init__(self, arrived: float, prompt_tokens: int, answer_tokens: int) -> None:
        self.arrived = arrived
        self.prompt_tokens = prompt_tokens
        self.answer_tokens = answer_tokens
        self.to_compute = prompt_tokens
        self.computed = 0
        self.to_generate = answer_tokens
        self.first_token = -1.0
        self.ended = -1.0
        self.outcome = Outcome.UNFINISHED
