"""Everything that only vLLM knows: its arguments, engine profiles, metric names and its page of metrics.

Pure: the client that asks a pod stands in the controller. Nothing here knows Kubernetes.
"""
