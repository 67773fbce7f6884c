"""The ConfigMap with the programs that run inside engine pods.

Immutable and named by its content, so that a pod always runs the scripts that it was planned with: an upgraded
operator with other scripts makes another ConfigMap and restarts nothing.
"""

import hashlib
import json
from collections.abc import Mapping

from gemma_operator.manifests.owner import KubeObject, Owner


def scripts_name(owner: Owner, scripts: Mapping[str, str]) -> str:
    """Name of the ConfigMap with exactly these files."""
    content = json.dumps(dict(scripts), sort_keys=True)
    return f"{owner.name}-scripts-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def scripts_config_map(owner: Owner, scripts: Mapping[str, str]) -> KubeObject:
    """The ConfigMap; keys are file names, values their text."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(scripts_name(owner, scripts)),
        "immutable": True,
        "data": dict(sorted(scripts.items())),
    }
