"""One builder per Kubernetes object that a GemmaDeployment owns.

Builders take values and return dictionaries for server-side apply; none talks to a cluster.
"""
