"""A decision as the stable document that ``gemmactl plan -o json`` prints and the status is made from.

Its schema is committed as ``docs/reference/plan.schema.json``; fields are added, never renamed.
"""

from typing import Any

from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.planning.decision import Decision, Plan

Document = dict[str, Any]


def decision_document(decision: Decision) -> Document:
    """The whole decision; ``plan`` is null when nothing fits."""
    return {
        "plan": None if decision.plan is None else plan_document(decision.plan),
        "alternatives": [plan_document(alternative) for alternative in decision.alternatives],
        "rejected": [
            {
                "candidate": rejection.candidate,
                "reason": rejection.reason,
                "needBytes": rejection.needed_bytes,
                "availableBytes": rejection.available_bytes,
                "message": rejection.message,
            }
            for rejection in decision.rejected
        ],
        "nearest": [{"change": fit.change, "plan": plan_document(fit.plan)} for fit in decision.nearest],
        "notes": list(decision.notes),
    }


def plan_document(plan: Plan) -> Document:
    """One plan in the API's field names."""
    return {
        "variant": plan.variant,
        "checkpoint": plan.checkpoint,
        "revision": plan.revision,
        "quantization": plan.quantization.value,
        "kvCacheDtype": plan.kv_cache_dtype.value,
        "accelerator": plan.accelerator.product,
        "tensorParallelSize": plan.tensor_parallel_size,
        "contextLength": plan.context_length,
        "concurrentRequests": plan.concurrent_requests,
        "maxNumBatchedTokens": plan.launch.max_num_batched_tokens,
        "asyncScheduling": plan.launch.async_scheduling,
        "maxNumSeqs": plan.launch.max_num_seqs,
        "gpuMemoryUtilization": plan.launch.gpu_memory_utilization,
        "tight": plan.tight,
        "maxConcurrency": round(plan.max_concurrency, 2),
        "blockSize": plan.block_size,
        "blocksPerRequest": plan.blocks_per_request,
        "numBlocks": plan.num_blocks,
        "memory": memory_document(plan.memory),
        "host": {
            "cpuMillicores": plan.host.cpu_millicores,
            "memoryBytes": plan.host.memory_bytes,
            "sharedMemoryBytes": plan.host.shared_memory_bytes,
            "ephemeralStorageBytes": plan.host.ephemeral_storage_bytes,
        },
        "args": list(plan.args),
        "reasons": list(plan.reasons),
    }


def memory_document(memory: MemoryBudget) -> dict[str, int]:
    """Every term of the budget of one GPU, in bytes."""
    return {
        "totalBytes": memory.total_bytes,
        "requestedBytes": memory.requested_bytes,
        "weightsBytes": memory.weights_bytes,
        "persistentBytes": memory.persistent_bytes,
        "activationBytes": memory.activation_bytes,
        "graphsBytes": memory.graphs_bytes,
        "kvAvailableBytes": memory.kv_available_bytes,
        "kvNeededBytes": memory.kv_needed_bytes,
        "poolSpareBytes": memory.pool_spare_bytes,
        "contextBytes": memory.context_bytes,
        "afterSizingBytes": memory.after_sizing_bytes,
        "marginBytes": memory.margin_bytes,
        "outsideSpareBytes": memory.outside_spare_bytes,
    }
