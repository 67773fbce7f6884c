"""Gemma 4 boots that people published, beside what is computed here for the same set-up.

Three kinds: ``kv`` is the pool arithmetic alone and must agree within 1 %; ``plan`` is a verdict of the planner and
must be the published one; ``report`` leaves too much open to be asserted (the batch size, for example), so that
figures are computed and shown with their error. ``make bench`` prints all, the documentation holds the open ones, a
test runs them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.planning.ask import Ask
from tests.bench.published_boots import GIB, K, assessed, decide, longest, pool

Value = float | str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published figure or verdict and ours."""

    what: str
    published: Value
    predicted: Value

    @property
    def error(self) -> float | None:
        """Relative error of a figure; ``None`` for a verdict."""
        if isinstance(self.published, str) or isinstance(self.predicted, str):
            return None
        return self.predicted / self.published - 1

    @property
    def agrees(self) -> bool:
        """A figure within 1 %, a verdict the same."""
        return self.published == self.predicted if self.error is None else abs(self.error) <= 0.01

    def __str__(self) -> str:
        shown = [f"{value:,.2f}".removesuffix(".00") if isinstance(value, int | float) else value
                 for value in (self.published, self.predicted)]  # fmt: skip
        verdict = ("same" if self.agrees else "DIFFERS") if self.error is None else f"{self.error:+.1%}"
        return f"{self.what}: published {shown[0]}, predicted {shown[1]}, {verdict}"


@dataclass(frozen=True, slots=True)
class PublishedCase:
    """A boot, how it is judged, where it was published, and the comparisons."""

    number: int
    how: str
    setup: str
    source: str
    compare: Callable[[], tuple[Comparison, ...]]

    def lines(self) -> list[str]:
        """As printed and as written in the documentation."""
        return [f"{self.number} ({self.how}) {self.setup} [{self.source}]", *(f"  {item}" for item in self.compare())]


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _case_1() -> tuple[Comparison, ...]:
    fit = pool("31B", 1, 49.0, 256 * K, 32768)
    return (
        Comparison("GiB needed", 45.79, fit.need_bytes_one_request / GIB),
        Comparison("starts", "yes", _yes(fit.fits)),
    )


def _case_2() -> tuple[Comparison, ...]:
    fit = pool("31B", 1, 49.0, 256 * K, 2 * 32768)
    return (
        Comparison("GiB needed", 70.79, fit.need_bytes_one_request / GIB),
        Comparison("starts", "no", _yes(fit.fits)),
        Comparison("longest tokens", 58_368, longest("31B", 49.0, 256 * K, 2 * 32768)),
    )


def _case_3() -> tuple[Comparison, ...]:
    fit = pool("31B", 4, 14.84, 256 * K, 4096)
    return (Comparison("requests", 2.48, fit.max_concurrency or 0), Comparison("tokens", 650_262, fit.kv_tokens or 0))


def _case_4() -> tuple[Comparison, ...]:
    fit = pool("12B", 2, 8.16, 128 * K, 4096)
    return (Comparison("requests", 2.93, fit.max_concurrency or 0), Comparison("tokens", 384_019, fit.kv_tokens or 0))


def _case_5() -> tuple[Comparison, ...]:
    """The batch is not stated: vLLM's default on that card, with one batch in flight and with two."""
    boot = ("google/gemma-4-31B-it", "H100-SXM-94GB", 2, 0.84, 8192, 1024, 256 * K)
    one, two = assessed(*boot, one_batch=True), assessed(*boot)
    return (
        Comparison("fits", "yes", _yes(one.budget.fits and two.budget.fits)),
        Comparison("tokens if one batch of 8,192 is in flight", 764_825, int(one.max_concurrency * 256 * K)),
        Comparison("tokens if two are", 764_825, int(two.max_concurrency * 256 * K)),
        Comparison("GiB of pool per GPU if one is", 39.4, one.budget.kv_available_bytes / GIB),
    )


def _case_6() -> tuple[Comparison, ...]:
    """One pool, counted by 0.20 as if every layer kept the whole context, by 0.21 as it is; context not stated."""
    boot = assessed("cyankiwi/gemma-4-31B-it-AWQ-4bit", "A100-80GB-SXM", 1, 0.9, 8192, 256, 256 * K, one_batch=True)
    flat = pool("31B", 1, boot.budget.kv_available_bytes / GIB, 32 * K, 8192, hybrid=False)
    return (
        Comparison("tokens as 0.20.0 counts them", 55_000, flat.kv_tokens or 0),
        Comparison("tokens as 0.21.0 counts them, if 256K and 8,192", 525_000, int(boot.max_concurrency * 256 * K)),
    )


def _case_7() -> tuple[Comparison, ...]:
    boot = assessed("google/gemma-4-31B-it", "H100-SXM", 1, 0.92, 8192, 1024, 256 * K)
    ask = Ask(256 * K, variant="31B", quantization=Precision.BF16, kv_cache_dtype=KVCacheDtype.BF16)
    decision = decide(ask, H100_SXM=1)
    return (
        Comparison("fits at vLLM's defaults", "no", _yes(boot.budget.fits)),
        Comparison("fits at any setting", "no", _yes(decision.plan)),
        Comparison("nearest fits are named", "yes", _yes(decision.nearest)),
    )


def _case_8() -> tuple[Comparison, ...]:
    ask = Ask(200 * K, variant="31B", quantization=Precision.BF16)
    return (Comparison("fits", "yes", _yes(decide(ask, L40S=4).plan)),)


def _case_9() -> tuple[Comparison, ...]:
    wide = Ask(128 * K, variant="31B", quantization=Precision.BF16, kv_cache_dtype=KVCacheDtype.BF16)
    long = Ask(256 * K, variant="31B", quantization=Precision.FP8, kv_cache_dtype=KVCacheDtype.FP8)
    return (
        Comparison("BF16 with BF16 KV at 128K fits", "yes", _yes(decide(wide, H200_SXM=1).plan)),
        Comparison("FP8 with FP8 KV at 256K fits", "yes", _yes(decide(long, H200_SXM=1).plan)),
    )


def _case_10() -> tuple[Comparison, ...]:
    """Without the drafter, which no plan has; the published 20K is a tuned figure of one card."""
    checkpoint = "google/gemma-4-31B-it-qat-w4a16-ct"
    at_defaults = assessed(checkpoint, "RTX-3090", 1, 0.92, 2048, 256, 20 * K)
    ask = Ask(64 * K, variant="31B", kv_cache_dtype=KVCacheDtype.BF16)
    found = (fit.plan.context_length for fit in decide(ask, RTX_3090=1).nearest if fit.change.startswith("contextL"))
    return (
        Comparison("fits at vLLM's defaults", "no", _yes(at_defaults.budget.fits)),
        Comparison("longest tokens, tuned", 20 * K, next(found, 0)),
    )


def _case_11() -> tuple[Comparison, ...]:
    text_and_video = frozenset({Modality.TEXT, Modality.VIDEO})
    plans = [decide(Ask(32 * K, variant=name, modalities=text_and_video), L40S=2).plan
             for name in ("12B", "26B-A4B", "31B")]  # fmt: skip
    raised = [plan is not None and plan.launch.max_num_batched_tokens >= 2496 for plan in plans]
    return (Comparison("batches hold one whole video (12B, 26B, 31B)", "yes", _yes(all(raised))),)


def _case_12() -> tuple[Comparison, ...]:
    ask = Ask(8 * K, kv_cache_dtype=KVCacheDtype.FP8)
    return tuple(Comparison(f"fits {name}", "no", _yes(decide(ask, **{name.replace("-", "_"): 8}).plan))
                 for name in ("A100-80GB-SXM", "A10", "RTX-3090"))  # fmt: skip


def _case_13() -> tuple[Comparison, ...]:
    need = pool("31B", 1, 49.0, 256 * K, 32768).need_bytes_one_request / GIB
    short = pool("31B", 1, need - 2**-10, 256 * K, 32768)
    return (Comparison("starts with a pool 1 MiB below the need", "no", _yes(short.fits)),)


def _case_14() -> tuple[Comparison, ...]:
    ask = Ask(32 * K, variant="26B-A4B", checkpoint="Intel/gemma-4-26B-A4B-it-int4-mixed-AutoRound")
    refused = decide(ask, L40S=8)
    why = any("704" in rejection.message for rejection in refused.rejected)
    return (Comparison("fits", "no", _yes(refused.plan)), Comparison("704 is named", "yes", _yes(why)))


def _case_15() -> tuple[Comparison, ...]:
    found = [decide(Ask(256 * K, variant=name), H100_SXM=1) for name in ("E2B", "E4B")]
    nearest = [fit for decision in found for fit in decision.nearest if fit.change == "model.variant: Auto"]
    offered = {fit.plan.variant for fit in nearest}
    return (
        Comparison("fits", "no", _yes(any(decision.plan for decision in found))),
        Comparison("larger ones are offered", "yes", _yes(offered and offered <= {"12B", "26B-A4B", "31B"})),
    )


def _too_tight() -> tuple[Comparison, ...]:
    boots = (
        ("google/gemma-4-E4B-it", "L4", 1, 0.75, 2048, 256, 128 * K),
        ("RedHatAI/gemma-4-26B-A4B-it-NVFP4", "RTX-4090", 1, 0.92, 2048, 256, 256 * K),
        ("cyankiwi/gemma-4-31B-it-AWQ-4bit", "RTX-3090", 2, 0.94, 2048, 48, 32 * K),
        ("cyankiwi/gemma-4-31B-it-AWQ-4bit", "H100-SXM", 2, 0.95, 8192, 256, 256 * K),
        ("google/gemma-4-12B-it-qat-w4a16-ct", "RTX-5090", 1, 0.98, 2048, 256, 256 * K),
    )
    return tuple(Comparison(f"{boot[0]} on {boot[2]}×{boot[1]} at {boot[3]:.2f}, {boot[5]} sequences", "no",
                            _yes(assessed(*boot).budget.fits)) for boot in boots)  # fmt: skip


CASES = (
    PublishedCase(1, "kv", "31B at 256K, pool 49.0 GiB, one batch of 32,768 in flight", "vllm#49878", _case_1),
    PublishedCase(2, "kv", "the same, two batches in flight", "vllm#49878", _case_2),
    PublishedCase(3, "kv", "31B w4a16 at 256K on 4×RTX 3090, pool 14.84 GiB", "club-3090 registry.yaml", _case_3),
    PublishedCase(4, "kv", "12B at 128K on 2×RTX 3090, pool 8.16 GiB", "club-3090 gemma-4-12b.yml", _case_4),
    PublishedCase(5, "report", "31B BF16 at 256K on 2×H100-94, u 0.84", "kaito PR#2156", _case_5),
    PublishedCase(6, "report", "31B AWQ-4bit on one A100-80, u 0.9", "vllm#43308", _case_6),
    PublishedCase(7, "plan", "31B BF16 at 256K on one H100-80", "vLLM recipes", _case_7),
    PublishedCase(8, "plan", "31B BF16 at 200K on 4×L40S", "aarora79 PR#14", _case_8),
    PublishedCase(9, "plan", "31B on one H200", "emmy PR#133", _case_9),
    PublishedCase(10, "report", "31B int4 on one 24 GB card", "club-3090 kv-calc.py, DUAL_CARD.md", _case_10),
    PublishedCase(11, "plan", "video on 2×L40S", "vllm#42687, recipes#441, PR#572", _case_11),
    PublishedCase(12, "plan", "FP8 KV on Ampere", "vllm#26431", _case_12),
    PublishedCase(13, "plan", "a pool smaller than one request", "vllm#39734", _case_13),
    PublishedCase(14, "plan", "26B int4 with groups of 128 at TP 2 and more", "config of the checkpoint", _case_14),
    PublishedCase(15, "plan", "E2B and E4B at 256K", "model configs", _case_15),
    PublishedCase(16, "plan", "too tight: out of memory under load or in warm-up", "vllm#50159 and others", _too_tight),
)


def report() -> list[str]:
    """All cases, line by line."""
    return [line for case in CASES for line in case.lines()]
