"""What the operator tells those who run it: metrics, JSON logs, probes.

Names of metrics are declared once, in ``metrics``; docs, alerts and dashboards are compared with that list.
Prompts, answers and secrets never pass through here.
"""
