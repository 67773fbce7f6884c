"""Refuses extra arguments that contradict the plan or go around it, by name and with the fix.

vLLM reads one option in many spellings: underscores, any unique beginning, aliases, ``--a.b=c`` for JSON, ``-O3``.
Each extra is brought to its one name first. Called when a spec is taken in, before anything is planned.
"""

import re
from collections.abc import Sequence

from gemma_operator.vllm.option_owners import CODE, COMPUTED, FREE, PLACED, PLANNED, PRIVATE, SERVED
from gemma_operator.vllm.options import ALIASES, OPTIONS, SYNONYMS

FIXES = (
    (COMPUTED, "it changes the memory that the plan has computed; leave it to the plan"),
    (PLACED, "it decides how many GPUs run; set accelerators.maxPerReplica or replicas instead"),
    (SERVED, "it would hide the engine from its probes, its drain or its metrics; leave it out"),
    (PRIVATE, "prompts, answers or secrets would leave the engine by it; leave it out"),
    (CODE, "it loads code or weights from elsewhere; put them into the engine image instead"),
)
"""What to do about an option of each set."""


class ExtraError(ValueError):
    """An extra that is refused; the message names it, its owner and what to do."""


def check_extra_arguments(arguments: Sequence[str]) -> None:
    """Raises ``ExtraError`` for the first argument that is not the user's to set."""
    if arguments and not arguments[0].startswith("-"):
        raise ExtraError(f"engine.extraArgs: {arguments[0]!r} is no option; start with one, for example --seed")
    for argument in arguments:
        if _is_option(argument):
            option = canonical_option(argument)
            if option not in FREE:
                raise ExtraError(f"engine.extraArgs: {argument} is refused: {option}: {_fix(option)}")


def sets_option(arguments: Sequence[str], option: str) -> bool:
    """Whether one of the arguments is that option, in any spelling. Raises ``ExtraError`` for an unknown one."""
    return any(canonical_option(argument) == option for argument in arguments if _is_option(argument))


def canonical_option(argument: str) -> str:
    """The one long name of an option in any of vLLM's spellings. Raises ``ExtraError`` for an unknown one.

    >>> canonical_option("--max_model=4096"), canonical_option("-tp"), canonical_option("--no-async")
    ('max-model-len', 'tensor-parallel-size', 'async-scheduling')
    """
    head = argument.split("=", 1)[0].split(".", 1)[0]
    if not head.startswith("--"):
        return _short_option(argument, head)
    name = head[2:].replace("_", "-").lower()
    for form in (name, name.removeprefix("no-")):
        form = SYNONYMS.get(form, form)
        if form in OPTIONS:
            return form
    known = OPTIONS | SYNONYMS.keys()
    matches = {option for option in known if option.startswith(name)}
    matches |= {option for option in known if name.startswith("no-") and option.startswith(name[3:])}
    matches = {SYNONYMS.get(match, match) for match in matches}
    if len(matches) == 1:
        return matches.pop()
    what = f"could mean {', '.join(sorted(matches)[:4])}" if matches else "is not known to vllm serve"
    raise ExtraError(f"engine.extraArgs: {head} {what}; write the option's full name")


def _short_option(argument: str, head: str) -> str:
    if head.startswith("-O"):
        return "optimization-level"
    if head in ALIASES:
        return ALIASES[head]
    raise ExtraError(f"engine.extraArgs: {argument} is not known to vllm serve; write the option's long name")


def _fix(option: str) -> str:
    if option in PLANNED:
        return f"set {PLANNED[option]} instead"
    return next(fix for options, fix in FIXES if option in options)


def _is_option(argument: str) -> bool:
    """A negative number is a value."""
    return argument.startswith("-") and re.fullmatch(r"-\d+(\.\d+)?", argument) is None
