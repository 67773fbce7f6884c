"""From a snapshot to a plan that explains itself.

``plan(snapshot)`` is a pure function: the same snapshot gives the same plan, with the number that decided.
"""
