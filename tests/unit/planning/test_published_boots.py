"""Boots that people published: the arithmetic gives their figures, the planner their verdicts."""

import pytest

from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.gpus.match import match_product
from gemma_operator.memory.assess import Assessment, assess
from gemma_operator.memory.kv_cache import KVCacheFit, kv_cache_fit, kv_cache_layout, max_feasible_model_len
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from tests.unit.planning.asks import CATALOG, K, decide, gpus

GIB = 2**30


def pool(variant_id: str, tp: int, gib: float, length: int, in_flight: int) -> KVCacheFit:
    variant = CATALOG.variant(variant_id)
    assert variant is not None
    return kv_cache_fit(kv_cache_layout(variant.text, tp, KVCacheDtype.BF16), int(gib * GIB), length, in_flight)


def assessed(
    checkpoint_id: str, product: str, tp: int, utilization: float, tokens: int, sequences: int, length: int
) -> Assessment:
    checkpoint = next(entry for entry in CATALOG.checkpoints if entry.id == checkpoint_id)
    variant = CATALOG.variant(checkpoint.variant)
    assert variant is not None
    settings = EngineSettings(tp, KVCacheDtype.BF16, 16, tokens, sequences, True, utilization)
    return assess(
        variant,
        checkpoint,
        match_product(CATALOG.products, product),
        settings,
        context_length=length,
        concurrent_requests=1,
        text_only=True,
    )


def test_31b_at_256k_with_one_batch_of_32768_in_flight_starts_in_49_gib() -> None:
    """vllm#49878: 45.79 GiB."""
    fit = pool("31B", 1, 49.0, 256 * K, 32768)
    assert fit.fits
    assert fit.need_bytes_one_request / GIB == pytest.approx(45.79, abs=0.005)


def test_the_same_with_two_batches_in_flight_does_not_and_stops_at_58368_tokens() -> None:
    """vllm#49878: 70.79 GiB in 0.26.0."""
    fit = pool("31B", 1, 49.0, 256 * K, 2 * 32768)
    assert not fit.fits
    assert fit.need_bytes_one_request / GIB == pytest.approx(70.79, abs=0.005)
    variant = CATALOG.variant("31B")
    assert variant is not None
    layout = kv_cache_layout(variant.text, 1, KVCacheDtype.BF16)
    assert max_feasible_model_len(layout, int(49.0 * GIB), 256 * K, 2 * 32768) == 58_368


def test_31b_on_four_3090_holds_two_and_a_half_requests() -> None:
    """club-3090 registry: pool 14.84 GiB, 2.48×, 650,262 tokens."""
    fit = pool("31B", 4, 14.84, 256 * K, 4096)
    assert fit.max_concurrency == pytest.approx(2.48, rel=0.01)
    assert fit.kv_tokens == pytest.approx(650_262, rel=0.01)


def test_12b_on_two_3090_holds_almost_three_requests() -> None:
    """club-3090 calibration: pool 8.16 GiB, 2.93×, 384,019 tokens."""
    fit = pool("12B", 2, 8.16, 128 * K, 4096)
    assert fit.max_concurrency == pytest.approx(2.93, rel=0.01)
    assert fit.kv_tokens == pytest.approx(384_019, rel=0.01)


def test_31b_bf16_at_256k_on_one_h100_is_refused_at_the_defaults_and_nearest_fits_are_named() -> None:
    at_defaults = assessed("google/gemma-4-31B-it", "H100-SXM", 1, 0.92, 8192, 1024, 256 * K)
    assert not at_defaults.budget.fits
    ask = Ask(256 * K, variant="31B", quantization=Precision.BF16, kv_cache_dtype=KVCacheDtype.BF16)
    decision = decide(ask, gpus(H100_SXM=1))
    assert decision.plan is None
    assert any(fit.change.startswith("contextLength: ") for fit in decision.nearest)
    assert any(fit.change == "model.kvCacheDtype: Auto" for fit in decision.nearest)


def test_31b_bf16_at_200k_fits_four_l40s() -> None:
    chosen = decide(Ask(200 * K, variant="31B", quantization=Precision.BF16), gpus(L40S=4)).plan
    assert chosen is not None
    assert chosen.memory.pool_spare_bytes > 0


@pytest.mark.parametrize(
    ("precision", "dtype", "length"),
    [(Precision.BF16, KVCacheDtype.BF16, 128 * K), (Precision.FP8, KVCacheDtype.FP8, 256 * K)],
)
def test_one_h200_serves_the_31b(precision: Precision, dtype: KVCacheDtype, length: int) -> None:
    ask = Ask(length, variant="31B", quantization=precision, kv_cache_dtype=dtype)
    assert decide(ask, gpus(H200_SXM=1)).plan is not None


@pytest.mark.parametrize("variant", ["12B", "26B-A4B", "31B"])
def test_video_raises_the_batch_to_one_whole_video(variant: str) -> None:
    """vllm#42687: below 2,496 batched tokens these variants refuse to start."""
    ask = Ask(32 * K, variant=variant, modalities=frozenset({Modality.TEXT, Modality.VIDEO}))
    chosen = decide(ask, gpus(L40S=2)).plan
    assert chosen is not None
    assert chosen.launch.max_num_batched_tokens >= 2496


@pytest.mark.parametrize("product", ["A100_80GB_SXM", "A10", "RTX_3090"])
def test_fp8_kv_is_refused_on_ampere(product: str) -> None:
    decision = decide(Ask(8 * K, kv_cache_dtype=KVCacheDtype.FP8), gpus(**{product: 8}))
    assert decision.plan is None
    assert any("8.9" in rejection.message for rejection in decision.rejected)


def test_quantization_groups_of_128_do_not_divide_the_experts_of_the_26b() -> None:
    ask = Ask(32 * K, checkpoint="Intel/gemma-4-26B-A4B-it-int4-mixed-AutoRound", variant="26B-A4B")
    decision = decide(ask, gpus(L40S=8))
    assert decision.plan is None
    assert any("704" in rejection.message for rejection in decision.rejected)


@pytest.mark.parametrize("variant", ["E2B", "E4B"])
def test_the_small_variants_stop_at_128k_and_larger_ones_are_offered(variant: str) -> None:
    decision = decide(Ask(256 * K, variant=variant), gpus(H100_SXM=1))
    assert decision.plan is None
    offered = {fit.plan.variant for fit in decision.nearest if fit.change == "model.variant: Auto"}
    assert offered <= {"12B", "26B-A4B", "31B"}
    assert offered


@pytest.mark.parametrize(
    ("checkpoint", "product", "tp", "utilization", "tokens", "sequences", "length"),
    [
        ("google/gemma-4-E4B-it", "L4", 1, 0.75, 2048, 256, 128 * K),
        ("RedHatAI/gemma-4-26B-A4B-it-NVFP4", "RTX-4090", 1, 0.92, 2048, 256, 256 * K),
        ("cyankiwi/gemma-4-31B-it-AWQ-4bit", "RTX-3090", 2, 0.94, 2048, 48, 32 * K),
        ("cyankiwi/gemma-4-31B-it-AWQ-4bit", "H100-SXM", 2, 0.95, 8192, 256, 256 * K),
        ("google/gemma-4-12B-it-qat-w4a16-ct", "RTX-5090", 1, 0.98, 2048, 256, 256 * K),
    ],
)
def test_settings_that_failed_for_others_are_refused(
    checkpoint: str, product: str, tp: int, utilization: float, tokens: int, sequences: int, length: int
) -> None:
    """Reported out of memory under load, in capture or in warm-up (vllm#50159 among them)."""
    assert not assessed(checkpoint, product, tp, utilization, tokens, sequences, length).budget.fits


def test_31b_awq_on_two_h100_at_094_is_accepted_as_it_worked() -> None:
    assert assessed("cyankiwi/gemma-4-31B-it-AWQ-4bit", "H100-SXM", 2, 0.94, 8192, 256, 256 * K).budget.fits
