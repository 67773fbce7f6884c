"""What a Prometheus has no answer to, of all that rules and dashboards ask. For recorded and for running targets."""

import re

from tests.integration.monitoring.prometheus import Prometheus
from tests.unit.monitoring.queries import dashboard_queries, rule_queries


def filled(expression: str, namespace: str, name: str) -> str:
    """The query as Grafana would send it with these choices and all pods."""
    chosen = {
        "cluster": ".*",
        "namespace": f"{namespace}|gemma-system",
        "deployment": name,
        "pod": ".*",
        "__rate_interval": "1m",
    }
    return re.sub(r"\$(\w+)", lambda match: chosen[match[1]], expression)


def unanswered(server: Prometheus, namespace: str, name: str) -> list[str]:
    """Panels' queries that give no series."""
    return [
        f"{query.place}: {query.text}"
        for query in dashboard_queries()
        if not server.query(filled(query.text, namespace, name))
    ]


def without_data(server: Prometheus) -> list[str]:
    """Names in rules that have no series."""
    names = {name for query in rule_queries() for name in query.names}
    return sorted(name for name in names if not server.query(name))
