"""Version v1alpha1 of the API."""

from typing import Any

from pydantic import Field

from gemma_operator.api.labels import API_VERSION, KIND
from gemma_operator.api.v1alpha1.base import ApiModel
from gemma_operator.api.v1alpha1.spec import GemmaDeploymentSpec
from gemma_operator.api.v1alpha1.status import GemmaDeploymentStatus

__all__ = ["GemmaDeployment", "GemmaDeploymentSpec", "GemmaDeploymentStatus"]


class GemmaDeployment(ApiModel):
    """A Gemma 4 service: a context length in, an exactly sized vLLM deployment out."""

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: dict[str, Any]
    spec: GemmaDeploymentSpec
    status: GemmaDeploymentStatus = Field(default_factory=lambda: GemmaDeploymentStatus.model_validate({}))

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.metadata["name"])
