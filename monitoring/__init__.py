"""Dashboards described in a few lines a panel, and rules and dashboards for those who do without Helm.

``python -m monitoring`` writes the dashboards into the chart and says which are stale with ``--check``; with
``--out`` it writes everything into a folder. No part of the operator imports this room.
"""
