"""The Gemma operator: a context length in, an exactly sized vLLM service of Gemma 4 out.

The rooms and their layers are described in ``docs/architecture.md``; upper rooms import lower ones only.
"""

__version__ = "0.1.0"
