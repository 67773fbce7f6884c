"""Observe, decide, act, report: the running operator.

Level-triggered: events only say *that* something changed, never what. Decisions live in the pure rooms below.
"""
