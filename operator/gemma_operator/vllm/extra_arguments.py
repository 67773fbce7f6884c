"""Refuses extra arguments and variables that contradict the plan or go around it, by name and with the fix.

vLLM reads one option in many spellings: underscores, any unique beginning, aliases, ``--a.b=c`` for JSON, ``-O3``.
Each extra is brought to its one name first. Called when a spec is taken in, before anything is planned.
"""

import re
from collections.abc import Iterable, Sequence

from gemma_operator.vllm.options import ALIASES, OPTIONS, SYNONYMS

PLANNED = {
    "model": "model.checkpoint",
    "revision": "model.revision",
    "tokenizer": "model.checkpoint",
    "hf-config-path": "model.checkpoint",
    "hf-overrides": "model.checkpoint",
    "load-format": "model.source",
    "served-model-name": "servedModelNames",
    "max-model-len": "contextLength",
    "dtype": "model.quantization",
    "quantization": "model.quantization",
    "kv-cache-dtype": "model.kvCacheDtype",
    "kv-cache-dtype-skip-layers": "model.kvCacheDtype",
    "language-model-only": "model.modalities",
    "limit-mm-per-prompt": "model.modalities",
    "mm-processor-kwargs": "model.media",
    "allowed-media-domains": "model.media.allowedDomains",
    "allowed-local-media-path": "model.media",
    "reasoning-parser": "features.thinking",
    "default-chat-template-kwargs": "features.thinking",
    "enable-auto-tool-choice": "features.toolCalling",
    "tool-call-parser": "features.toolCalling",
    "api-key": "engine.apiKeySecretRef",
    "shutdown-timeout": "rollout.drainTimeoutSeconds",
}
"""Options that a field of the spec sets."""

COMPUTED = {
    "gpu-memory-utilization",
    "kv-cache-memory-bytes",
    "num-gpu-blocks-override",
    "block-size",
    "disable-hybrid-kv-cache-manager",
    "max-num-batched-tokens",
    "max-num-seqs",
    "max-num-active-seqs",
    "async-scheduling",
    "enforce-eager",
    "cpu-offload-gb",
    "kv-offloading-size",
    "kv-transfer-config",
    "speculative-config",
    "enable-lora",
    "lora-modules",
    "max-loras",
    "max-lora-rank",
    "compilation-config",
    "attention-config",
    "optimization-level",
}
"""Options that change the memory the plan has computed."""

PLACED = {
    "tensor-parallel-size",
    "pipeline-parallel-size",
    "prefill-context-parallel-size",
    "decode-context-parallel-size",
    "enable-expert-parallel",
    "distributed-executor-backend",
    "nnodes",
    "node-rank",
    "master-addr",
    "master-port",
    "api-server-count",
    "headless",
}
"""Options that decide how many GPUs or processes there are; everything that begins with data-parallel belongs here."""

SERVED = {"host", "port", "uds", "root-path", "middleware", "disable-log-stats", "config", "enable-log-requests"}
"""Options by which probes, drain and metrics would lose the engine, or requests would reach the logs."""

CODE = {"trust-remote-code", "tool-parser-plugin", "reasoning-parser-plugin", "worker-cls", "worker-extension-cls"}
"""Options that load code from elsewhere."""

ENV_OWNED = re.compile(
    r"^(VLLM_API_KEY|VLLM_PORT|VLLM_HOST_IP|VLLM_USE_V2_MODEL_RUNNER|VLLM_ENABLE_STARTUP_PLAN|VLLM_SERVER_DEV_MODE"
    r"|VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS|VLLM_LOGGING_.*|VLLM_CPU_KVCACHE_SPACE|VLLM_ALLOW_LONG_MAX_MODEL_LEN"
    r"|VLLM_CACHE_ROOT|VLLM_PLUGINS|VLLM_DEBUG_LOG_API_SERVER_RESPONSE|CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES"
    r"|HOME|TMPDIR|USER|PYTHONPATH|HF_HOME|GEMMA_.*|LD_PRELOAD|LD_LIBRARY_PATH)$"
)
ENV_SECRET = re.compile(r"(TOKEN|PASSWORD|SECRET|API_KEY)", re.IGNORECASE)


class ExtraError(ValueError):
    """An extra that is refused; the message names it, its owner and what to do."""


def check_extra_arguments(arguments: Sequence[str]) -> None:
    """Raises ``ExtraError`` for the first argument that is not the user's to set."""
    if arguments and not arguments[0].startswith("-"):
        raise ExtraError(f"engine.extraArgs: {arguments[0]!r} is no option; start with one, for example --seed")
    for argument in arguments:
        if argument.startswith("-") and not _is_number(argument):
            _check_option(argument, canonical_option(argument))


def canonical_option(argument: str) -> str:
    """The one long name of an option in any of vLLM's spellings. Raises ``ExtraError`` for an unknown one.

    >>> canonical_option("--max_model=4096"), canonical_option("-tp"), canonical_option("--no-async")
    ('max-model-len', 'tensor-parallel-size', 'async-scheduling')
    """
    head = argument.split("=", 1)[0]
    if not head.startswith("--"):
        return _short_option(argument, head)
    name = head[2:].split(".", 1)[0].replace("_", "-").lower()
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
    if re.fullmatch(r"-O\d?.*", head):
        return "optimization-level"
    if head in ALIASES:
        return ALIASES[head]
    raise ExtraError(f"engine.extraArgs: {argument} is not known to vllm serve; write the option's long name")


def _check_option(argument: str, option: str) -> None:
    if option in PLANNED:
        fix = f"{option} is set by {PLANNED[option]}; set that field instead"
    elif option in COMPUTED:
        fix = f"{option} changes the memory that the plan has computed; leave it to the plan"
    elif option in PLACED or option.startswith("data-parallel"):
        fix = f"{option} decides how many GPUs run; set accelerators.maxPerReplica or replicas instead"
    elif option in SERVED or option.startswith("ssl-"):
        fix = f"{option} would hide the engine from its probes, its drain or its metrics; leave it out"
    elif option in CODE:
        fix = f"{option} loads code from elsewhere; put it into the engine image instead"
    else:
        return
    raise ExtraError(f"engine.extraArgs: {argument} is refused: {fix}")


def check_extra_environment(names: Iterable[str]) -> None:
    """Raises ``ExtraError`` for the first variable that is not the user's to set."""
    for name in names:
        if ENV_OWNED.match(name):
            raise ExtraError(f"engine.env: {name} is refused: the plan or the pod sets it; leave it out")
        if ENV_SECRET.search(name):
            raise ExtraError(f"engine.env: {name} is refused: a secret does not belong in the clear into a spec")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-\d+(\.\d+)?", text) is not None
