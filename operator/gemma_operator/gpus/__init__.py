"""GPU products and what a cluster has of them.

One value type for an accelerator, one reader per source of node facts, one inventory. Pure: nodes come in as
the dictionaries that the API server returned.
"""
