"""What all API models share: frozen, camelCase on the wire, unknown fields refused; and the kinds of text."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """Base of every object in spec and status."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, use_enum_values=True
    )


NO_REPEATS = "self.all(item, self.exists_one(other, other == item))"
"""CEL for a list in which nothing stands twice."""


def refuse(*broken: tuple[bool, str]) -> None:
    """The Python twin of ``validations``: raises ``ValueError`` with the message of the first broken rule."""
    for is_broken, message in broken:
        if is_broken:
            raise ValueError(message)


def validations(*rules: tuple[str, str]) -> dict[str, Any]:
    """CEL rules for the CRD: pairs of rule and the message that says what to write instead."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


_KEY = "([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
KEYS_FORM = f"self.all(key, key.matches('^{_KEY}$'))"
"""CEL for a map whose keys Kubernetes takes as label keys; a schema can't bound the keys of a map."""
KEYS_MESSAGE = "write keys as Kubernetes does: letters, digits, '-', '_' and '.', after an optional domain and '/'"


def malformed_keys(keys: Iterable[str]) -> bool:
    """The Python twin of ``KEYS_FORM``."""
    return any(re.fullmatch(_KEY, key, re.ASCII) is None for key in keys)


# Texts that reach the engine's command line begin with a letter or digit: a dash would make them an option.
ShortText = Annotated[str, Field(min_length=1, max_length=253)]
Text = Annotated[str, Field(max_length=1024)]
LabelKey = Annotated[str, Field(max_length=317)]
TaintKey = Annotated[str, Field(max_length=317, pattern=f"^({_KEY})?$")]
LabelValue = Annotated[str, Field(max_length=63, pattern="^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
DomainName = Annotated[str, Field(max_length=253, pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
HubId = Annotated[str, Field(max_length=253, pattern="^[A-Za-z0-9][-A-Za-z0-9_.]*(/[A-Za-z0-9][-A-Za-z0-9_.]*)?$")]
Flag = Annotated[bool, Field(strict=True)]


def _text_of_a_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_QUANTITY: dict[str, Any] = {"maxLength": 32, "pattern": "^[0-9]+([.][0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}
Quantity = Annotated[
    str,
    BeforeValidator(_text_of_a_number),
    Field(max_length=_QUANTITY["maxLength"], pattern=_QUANTITY["pattern"]),
    WithJsonSchema(
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}], "minimum": 0}
        | _QUANTITY
    ),
]
"""An amount as Kubernetes writes it: ``8``, ``500m``, ``32Gi``. A bare number is taken as its text."""
