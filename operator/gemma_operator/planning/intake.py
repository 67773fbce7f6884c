"""From a GemmaDeployment to the planner's ask.

The only place that knows the operator's defaults for planning; called by the controller and the command line, so
that both plan the same thing.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gemma_operator.api.labels import API_VERSION, KIND
from gemma_operator.api.v1alpha1 import GemmaDeployment
from gemma_operator.api.v1alpha1.pod import ResourceAmounts
from gemma_operator.api.v1alpha1.spec import GemmaDeploymentSpec
from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.gpus.quantity import parse_quantity
from gemma_operator.planning.ask import Ask, Objective
from gemma_operator.vllm.extra_arguments import ExtraError, check_extra_arguments
from gemma_operator.vllm.extra_environment import check_extra_environment
from gemma_operator.vllm.launch import MediaLimits
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE

MODEL_MOUNT_PATH = "/models"
"""Where a volume with weights is mounted in engine pods."""

NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


class ManifestError(ValueError):
    """A manifest that can't be planned; the message names field, value and fix."""


def parse_manifest(document: Any) -> GemmaDeployment:
    """The typed object behind a manifest. Raises ``ManifestError``."""
    if not isinstance(document, Mapping):
        raise ManifestError("expected one GemmaDeployment object")
    given = (document.get("apiVersion"), document.get("kind"))
    if given != (API_VERSION, KIND):
        raise ManifestError(f"expected apiVersion {API_VERSION} and kind {KIND}, got {given[0]} and {given[1]}")
    name = (document.get("metadata") or {}).get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ManifestError(
            f"metadata.name: {name!r} can't name a Service; use at most 40 lower-case letters, digits and dashes"
        )
    try:
        return GemmaDeployment.model_validate({key: value for key, value in document.items() if key != "status"})
    except ValidationError as error:
        raise ManifestError("; ".join(_sentence(item) for item in error.errors()[:5])) from None


def _sentence(item: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in item["loc"] if part not in {"int", "str"})
    if item["type"] == "extra_forbidden":
        return f"{field}: no such field"
    return f"{field}: {item['msg'].removeprefix('Value error, ')}" + (
        "" if item["type"] in {"missing", "value_error"} else f", got {str(item['input'])[:80]!r}"
    )


def ask_from_manifest(document: Any) -> Ask:
    """The ask of a manifest. Raises ``ManifestError``."""
    deployment = parse_manifest(document)
    return ask_from_spec(deployment.name, deployment.spec)


def ask_from_spec(name: str, spec: GemmaDeploymentSpec, default_image: str = DEFAULT_ENGINE_IMAGE) -> Ask:
    """The planning inputs of a spec, with the operator's defaults filled in. Raises ``ManifestError``."""
    try:
        check_extra_arguments(spec.engine.extra_args)
        check_extra_environment(item.name for item in spec.engine.env)
    except ExtraError as error:
        raise ManifestError(f"spec.{error}") from None
    model, source = spec.model, spec.model.source
    requests = spec.engine.pod.requests or ResourceAmounts(cpu=None, memory=None)
    path = None
    if source is not None:
        path = f"{MODEL_MOUNT_PATH}/{source.volume_claim.path}".rstrip("/")
    return Ask(
        context_length=spec.context_length_tokens,
        concurrent_requests=spec.concurrent_requests,
        variant=None if model.variant == "Auto" else model.variant,
        quantization=None if model.quantization == "Auto" else Precision(model.quantization),
        kv_cache_dtype=None if model.kv_cache_dtype == "Auto" else KVCacheDtype(model.kv_cache_dtype),
        modalities=frozenset(Modality(modality) for modality in model.modalities),
        media=MediaLimits(model.media.image_tokens, model.media.max_items, model.media.allowed_domains),
        checkpoint=model.checkpoint,
        revision=model.revision,
        publishers=model.publishers,
        model_path=path,
        objective=Objective(spec.objective),
        accelerators=spec.accelerators.products,
        max_gpus_per_replica=spec.accelerators.max_per_replica,
        replicas=spec.replicas,
        served_model_names=spec.served_model_names or (name,),
        thinking_by_default=spec.features.thinking == "Enabled",
        tool_calling=spec.features.tool_calling == "Enabled",
        engine_image=spec.engine.image or default_image,
        extra_args=spec.engine.extra_args,
        extra_env=tuple((item.name, item.value) for item in spec.engine.env),
        requested_cpu_millicores=None if requests.cpu is None else math.ceil(parse_quantity(requests.cpu) * 1000),
        requested_memory_bytes=None if requests.memory is None else math.ceil(parse_quantity(requests.memory)),
    )
