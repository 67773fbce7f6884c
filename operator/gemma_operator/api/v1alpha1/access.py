"""``spec.access``: which pods may call the engines. The operator turns it into their NetworkPolicy."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from gemma_operator.api.v1alpha1.base import (
    KEYS_FORM,
    KEYS_MESSAGE,
    ApiModel,
    LabelKey,
    LabelValue,
    malformed_keys,
    refuse,
    validations,
)

NO_SELECTOR_RULE = "has(self.namespaceSelector) || has(self.podSelector)"
NO_SELECTOR = "name callers by namespaceSelector, by podSelector or by both; write {} in one to mean all"


class LabelSelector(ApiModel):
    """Objects by their labels; without labels it means all."""

    match_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = Field(
        default_factory=dict,
        description="Labels that an object must have, all of them.",
        json_schema_extra=validations((KEYS_FORM, KEYS_MESSAGE)),
    )

    @field_validator("match_labels", mode="after")
    @classmethod
    def _keys_are_label_keys(cls, value: dict[str, str]) -> dict[str, str]:
        refuse((malformed_keys(value), KEYS_MESSAGE))
        return value


class Callers(ApiModel):
    """Pods that may call, as in a NetworkPolicy."""

    namespace_selector: LabelSelector | None = Field(
        None, description="Namespaces of the callers, by labels. By default the namespace of this object."
    )
    pod_selector: LabelSelector | None = Field(
        None, description="Pods of those namespaces, by labels. By default all of them."
    )

    model_config = ApiModel.model_config | {"json_schema_extra": validations((NO_SELECTOR_RULE, NO_SELECTOR))}

    @model_validator(mode="after")
    def _somebody_is_named(self) -> Self:
        refuse((self.namespace_selector is None and self.pod_selector is None, NO_SELECTOR))
        return self


class Access(ApiModel):
    """Who may call the engines."""

    callers: Annotated[tuple[Callers, ...], Field(max_length=16)] | None = Field(
        None,
        alias="from",
        description="Pods that may call, beside the operator and namespaces with the label "
        "gemma-operator.io/monitoring=true. By default those of the same namespace; an empty list lets in nobody "
        "else. Needs a network plugin that enforces NetworkPolicies.",
    )
