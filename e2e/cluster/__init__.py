"""A real Kubernetes on one Debian machine, without Docker: every component built from its own source.

One module per component. Tests, the demo and ``python -m e2e.cluster`` use ``Cluster``.
"""

from e2e.cluster.cluster import Cluster, KubectlError

__all__ = ["Cluster", "KubectlError"]
