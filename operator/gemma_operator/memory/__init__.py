"""The memory of one engine, term by term: weights, KV cache, overheads.

Arithmetic of one candidate; which candidates are tried is the planner's matter.
"""
