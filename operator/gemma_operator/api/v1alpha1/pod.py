"""``spec.engine.pod``: what may be changed about engine pods. A closed list; all else follows from the plan."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from gemma_operator.api.labels import GROUP, INSTANCE_LABEL, NAME_LABEL
from gemma_operator.api.v1alpha1.base import (
    KEYS_FORM,
    KEYS_MESSAGE,
    NO_REPEATS,
    ApiModel,
    LabelKey,
    LabelValue,
    ObjectName,
    Quantity,
    Text,
    malformed_keys,
    refuse,
    validations,
)

OWN_PREFIX = f"{GROUP}/"
OWN_LABELS = (NAME_LABEL, INSTANCE_LABEL)
OWN_LABEL_RULE = f"self.all(key, !key.startsWith('{OWN_PREFIX}') && !(key in {list(OWN_LABELS)}))"
OWN_LABEL = f"labels {OWN_PREFIX}*, {' and '.join(OWN_LABELS)} are the operator's: use another key"
OWN_ANNOTATION_RULE = f"self.all(key, !key.startsWith('{OWN_PREFIX}'))"
OWN_ANNOTATION = f"annotations {OWN_PREFIX}* are the operator's: use another key"
SECRET_TWICE = "name each Secret once"  # noqa: S105 - a message


def _limit_rule(resource: str) -> tuple[str, str]:
    limit, request = f"self.limits.{resource}", f"self.requests.{resource}"
    rule = (
        f"!has(self.limits) || !has({limit}) || (has(self.requests) && has({request}) && "
        f"quantity(string({request})).compareTo(quantity(string({limit}))) <= 0)"
    )
    return rule, _limit_message(resource)


def _limit_message(resource: str) -> str:
    return f"limits.{resource} needs requests.{resource}, not above it: the plan's own request may be higher"


class ResourceAmounts(ApiModel):
    """CPU and memory of one pod."""

    cpu: Quantity | None = Field(None, description="CPU cores, for example 8 or 500m.")
    memory: Quantity | None = Field(None, description="Memory, for example 32Gi.")


class PodOverlay(ApiModel):
    """What may be changed about engine pods: a closed list."""

    requests: ResourceAmounts | None = Field(
        None, description="Requests in place of those that the plan computes; gemmactl plan -o json shows those."
    )
    limits: ResourceAmounts | None = Field(
        None, description="Limits, each with its request. By default GPUs alone are limited."
    )
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict,
        description="Labels to add to the pods; not those of the operator.",
        json_schema_extra=validations((KEYS_FORM, KEYS_MESSAGE), (OWN_LABEL_RULE, OWN_LABEL)),
    )
    annotations: Annotated[dict[LabelKey, Text], Field(max_length=32)] = Field(
        default_factory=dict,
        description="Annotations to add to the pods; not those of the operator.",
        json_schema_extra=validations((KEYS_FORM, KEYS_MESSAGE), (OWN_ANNOTATION_RULE, OWN_ANNOTATION)),
    )
    priority_class_name: ObjectName | None = Field(None, description="Name of a PriorityClass. By default none.")
    image_pull_secrets: Annotated[tuple[ObjectName, ...], Field(max_length=8)] = Field(
        (),
        description="Names of Secrets in the same namespace for pulling the engine image.",
        json_schema_extra=validations((NO_REPEATS, SECRET_TWICE)),
    )

    model_config = ApiModel.model_config | {"json_schema_extra": validations(_limit_rule("cpu"), _limit_rule("memory"))}

    @field_validator("labels", mode="after")
    @classmethod
    def _labels_are_free(cls, value: dict[str, str]) -> dict[str, str]:
        own = any(key.startswith(OWN_PREFIX) or key in OWN_LABELS for key in value)
        refuse((malformed_keys(value), KEYS_MESSAGE), (own, OWN_LABEL))
        return value

    @field_validator("annotations", mode="after")
    @classmethod
    def _annotations_are_free(cls, value: dict[str, str]) -> dict[str, str]:
        own = any(key.startswith(OWN_PREFIX) for key in value)
        refuse((malformed_keys(value), KEYS_MESSAGE), (own, OWN_ANNOTATION))
        return value

    @field_validator("image_pull_secrets", mode="after")
    @classmethod
    def _secrets_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refuse((len(set(value)) < len(value), SECRET_TWICE))
        return value

    @model_validator(mode="after")
    def _limits_have_requests(self) -> Self:
        """Which of the two is larger is left to the API server: quantities are read by a room above this one."""
        for resource in ("cpu", "memory"):
            limited = self.limits is not None and getattr(self.limits, resource) is not None
            requested = self.requests is not None and getattr(self.requests, resource) is not None
            refuse((limited and not requested, _limit_message(resource)))
        return self
