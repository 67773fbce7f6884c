"""What a pod asks of its node beside GPUs: first values, or those that the ask itself names."""

from gemma_operator.catalog.precision import Modality
from gemma_operator.gpus.inventory import GpuNodes
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import HostRequests
from gemma_operator.planning.fit import Fit
from gemma_operator.planning.ladder import MOST_SEQUENCES
from gemma_operator.vllm.profile import HostNeeds, engine_profile

GIB = 2**30

PINNED_BYTES_PER_TOKEN = 4
SCRATCH_BYTES = 4 * GIB
"""Logs, compile caches and temporary files of one engine."""

Lack = tuple[str, int, int]
"""A sentence, bytes (thousandths of a core) needed, those there."""


def host_requests(ask: Ask, fit: Fit) -> HostRequests:
    """CPU, memory, shared memory and disk of one replica.

    Memory holds vLLM's processes, its pinned token buffers (4 bytes per token of context and sequence on each
    rank), shared memory, and decoders for media. Disk holds weights fetched from the Hub and scratch space. The ask's
    own requests stand in place of what is computed here.
    """
    size = fit.candidate.tensor_parallel_size
    needs = _needs(fit.candidate.nodes)
    model = 0
    if needs.model_in_memory:
        budget = fit.assessment.budget
        model = (budget.weights_bytes + budget.kv_needed_bytes) * size
    return _requests(ask, needs, size, fit.settings.max_num_seqs, model, fit.candidate.checkpoint.disk_bytes)


def _needs(nodes: GpuNodes) -> HostNeeds:
    return engine_profile(nodes.accelerator.engine_profile).host


def _requests(
    ask: Ask, needs: HostNeeds, size: int, sequences: int, model_bytes: int, weight_files_bytes: int
) -> HostRequests:
    shared = needs.shared_memory_per_rank_bytes * size
    memory = ask.requested_memory_bytes
    if memory is None:
        memory = needs.memory_base_bytes + needs.memory_per_rank_bytes * size + shared + model_bytes
        memory += PINNED_BYTES_PER_TOKEN * ask.context_length * sequences * size
        if ask.modalities != {Modality.TEXT}:
            memory += needs.media_memory_bytes
    cpu = ask.requested_cpu_millicores
    if cpu is None:
        cpu = needs.cpu_base_millicores + needs.cpu_per_rank_millicores * size
    fetched = 0 if ask.model_path is not None else weight_files_bytes
    return HostRequests(
        cpu_millicores=cpu,
        memory_bytes=memory,
        shared_memory_bytes=shared,
        ephemeral_storage_bytes=SCRATCH_BYTES + fetched * 11 // 10,
    )


class Hosts:
    """Compares nodes with what replicas ask of them, for one ask.

    Most nodes hold the largest replica that could be asked of them; that is found out once for a group of nodes.
    """

    def __init__(self, ask: Ask, largest_weight_files_bytes: int) -> None:
        self._ask = ask
        self._largest = largest_weight_files_bytes
        self._ample: dict[int, bool] = {}

    def lack(self, fit: Fit) -> Lack | None:
        """The first host resource that the nodes of a fit lack, or ``None``."""
        nodes = fit.candidate.shape.nodes
        ample = self._ample.get(id(nodes))
        if ample is None:
            self._ample[id(nodes)] = ample = self._holds_any(nodes)
        return None if ample else _lack(nodes, host_requests(self._ask, fit))

    def _holds_any(self, nodes: GpuNodes) -> bool:
        needs, sequences = _needs(nodes), max(MOST_SEQUENCES, self._ask.concurrent_requests)
        if needs.model_in_memory:
            return False
        return _lack(nodes, _requests(self._ask, needs, nodes.gpus_per_node, sequences, 0, self._largest)) is None


def _lack(nodes: GpuNodes, needs: HostRequests) -> Lack | None:
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
