"""What a pod asks of its node beside GPUs: first values, or those that the ask itself names."""

from gemma_operator.catalog.precision import Modality
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import HostRequests
from gemma_operator.planning.fit import Fit
from gemma_operator.vllm.profile import engine_profile

GIB = 2**30

PINNED_BYTES_PER_TOKEN = 4
SCRATCH_BYTES = 4 * GIB
"""Logs, compile caches and temporary files of one engine."""


def host_requests(ask: Ask, fit: Fit) -> HostRequests:
    """CPU, memory, shared memory and disk of one replica.

    Memory holds vLLM's processes, its pinned token buffers (4 bytes per token of context and sequence on each
    rank), shared memory, and decoders for media. Disk holds weights fetched from the Hub and scratch space. The ask's
    own requests stand in place of what is computed here.
    """
    size, settings = fit.candidate.tensor_parallel_size, fit.settings
    needs = engine_profile(fit.candidate.nodes.accelerator.engine_profile).host
    shared = needs.shared_memory_per_rank_bytes * size
    memory = needs.memory_base_bytes + needs.memory_per_rank_bytes * size + shared
    memory += PINNED_BYTES_PER_TOKEN * ask.context_length * settings.max_num_seqs * size
    if ask.modalities != {Modality.TEXT}:
        memory += needs.media_memory_bytes
    if needs.model_in_memory:
        budget = fit.assessment.budget
        memory += (budget.weights_bytes + budget.kv_needed_bytes) * size
    if ask.requested_memory_bytes is not None:
        memory = ask.requested_memory_bytes
    cpu = ask.requested_cpu_millicores
    if cpu is None:
        cpu = needs.cpu_base_millicores + needs.cpu_per_rank_millicores * size
    fetched = 0 if ask.model_path is not None else fit.candidate.checkpoint.disk_bytes
    return HostRequests(
        cpu_millicores=cpu,
        memory_bytes=memory,
        shared_memory_bytes=shared,
        ephemeral_storage_bytes=SCRATCH_BYTES + fetched * 11 // 10,
    )


def node_too_small(ask: Ask, fit: Fit) -> tuple[str, int, int] | None:
    """The first host resource that the group's nodes lack: a sentence, bytes needed, bytes there."""
    nodes, needs = fit.candidate.nodes, host_requests(ask, fit)
    name = f"nodes with {nodes.gpus_per_node}×{nodes.accelerator.id}"
    if nodes.cpu_cores is not None and needs.cpu_millicores > nodes.cpu_cores * 1000:
        text = f"{name} have {nodes.cpu_cores:g} CPU cores, one replica asks for {needs.cpu_millicores / 1000:g}"
        return text, needs.cpu_millicores, int(nodes.cpu_cores * 1000)
    for what, needed, there in (
        ("memory", needs.memory_bytes, nodes.memory_bytes),
        ("ephemeral storage", needs.ephemeral_storage_bytes, nodes.ephemeral_storage_bytes),
    ):
        if there is not None and needed > there:
            text = f"{name} have {there / GIB:.1f} GiB of {what}, one replica asks for {needed / GIB:.1f} GiB"
            return text, needed, there
    return None
