"""What all API models share: frozen, camelCase on the wire, unknown fields refused."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
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


ShortText = Annotated[str, Field(max_length=253)]
Text = Annotated[str, Field(max_length=1024)]
LabelKey = Annotated[str, Field(max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]
Quantity = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
