"""Which of the fits is best: one lexicographic key per objective.

The table below is the whole policy; the documentation prints it. Smaller is better in every column.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from gemma_operator.planning.ask import Ask, Objective
from gemma_operator.planning.fit import Fit

Criterion = Callable[[Ask, Fit], float]

GIB = 2**30


def _tight(_: Ask, fit: Fit) -> float:
    return float(fit.tight)


def _variant(_: Ask, fit: Fit) -> float:
    return fit.candidate.variant.quality_rank


def _lacks_capacity(ask: Ask, fit: Fit) -> float:
    return float(fit.candidate.nodes.replicas(fit.candidate.tensor_parallel_size) < ask.replicas)


def _gpus(_: Ask, fit: Fit) -> float:
    return fit.candidate.tensor_parallel_size


def price(fit: Fit) -> float:
    """Price of one replica: the product's price per hour, else its memory in GiB, times GPUs."""
    accelerator = fit.candidate.nodes.accelerator
    each = accelerator.price_per_hour if accelerator.price_per_hour is not None else accelerator.total_bytes / GIB
    return each * fit.candidate.tensor_parallel_size


def _price(_: Ask, fit: Fit) -> float:
    return price(fit)


def _weight_precision(_: Ask, fit: Fit) -> float:
    return fit.candidate.checkpoint.precision.rank


def _kv_precision(_: Ask, fit: Fit) -> float:
    return fit.candidate.kv_cache_dtype.rank


def _publisher(ask: Ask, fit: Fit) -> float:
    publisher = fit.candidate.checkpoint.publisher
    return ask.publishers.index(publisher) if publisher in ask.publishers else len(ask.publishers)


def _concurrency(_: Ask, fit: Fit) -> float:
    return -fit.assessment.max_concurrency


CRITERIA: dict[Objective, tuple[tuple[str, Criterion], ...]] = {
    Objective.BALANCED: (
        ("comfortable settings", _tight),
        ("variant quality", _variant),
        ("capacity for the replicas", _lacks_capacity),
        ("fewest GPUs", _gpus),
        ("price", _price),
        ("weight precision", _weight_precision),
        ("KV precision", _kv_precision),
        ("publisher", _publisher),
        ("spare concurrency", _concurrency),
    ),
    Objective.QUALITY: (
        ("variant quality", _variant),
        ("weight precision", _weight_precision),
        ("KV precision", _kv_precision),
        ("comfortable settings", _tight),
        ("capacity for the replicas", _lacks_capacity),
        ("fewest GPUs", _gpus),
        ("price", _price),
        ("publisher", _publisher),
        ("spare concurrency", _concurrency),
    ),
}


def best_first(ask: Ask, fits: Sequence[Fit]) -> Iterator[Fit]:
    """The fits in order, as far as they are asked for: a criterion is looked at only where those before it tie.

    Ends in names, so that equal fits keep one order for ever.
    """
    return _best_first(ask, fits, tuple(criterion for _, criterion in CRITERIA[ask.objective]))


def _best_first(ask: Ask, fits: Sequence[Fit], criteria: tuple[Criterion, ...]) -> Iterator[Fit]:
    if len(fits) == 1:
        yield fits[0]
    elif not criteria:
        yield from sorted(fits, key=lambda fit: (fit.candidate.checkpoint.id, fit.candidate.nodes.accelerator.id))
    else:
        equals: dict[float, list[Fit]] = defaultdict(list)
        for fit in fits:
            equals[criteria[0](ask, fit)].append(fit)
        for value in sorted(equals):
            yield from _best_first(ask, equals[value], criteria[1:])


def deciding_criterion(ask: Ask, winner: Fit, other: Fit) -> str:
    """The first criterion by which the winner beats the other, in the table's words."""
    for name, criterion in CRITERIA[ask.objective]:
        if criterion(ask, winner) != criterion(ask, other):
            return name
    return "name"
