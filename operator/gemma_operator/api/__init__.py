"""The API that users write against: models, words, and the CRD made from them.

The lowest room: everything may import it, it imports nothing of the project. The pydantic models are the only
source of the CRD, the reference page and the samples' checks.
"""
