"""The vLLM release that this operator was made for.

Arguments, metric names and memory arithmetic follow it; an engine image of another release is the user's choice.
"""

VLLM_VERSION = "0.32.0"
DEFAULT_ENGINE_IMAGE = f"vllm/vllm-openai:v{VLLM_VERSION}"
