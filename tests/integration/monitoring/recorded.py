"""Pages to scrape without a cluster: a real engine's, recorded under load and carried on, and the operator's own.

The engine's counters grow with each scrape by a hundredth of what was recorded, so that rates and quantiles have
something to tell; all else is as it was recorded. The operator's page comes from its real metrics, fed by the code that
feeds them in a reconcile.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.autoscaling.fleet import PodState
from gemma_operator.controller.measures import Measures
from gemma_operator.controller.status import Line
from gemma_operator.telemetry.metrics import CONTROLLER, Metrics
from gemma_operator.vllm.metrics import LivePool
from tests.unit.controller.situations import a_deployment, fields, lines
from tests.unit.monitoring.queries import PAGE

COUNTER = re.compile(r"^(\S+?(?:_total|_bucket|_sum|_count)(?:\{.*\})?) (\S+)$", re.MULTILINE)
NAMESPACE, NAME = "team", "assistant"


class EnginePage:
    """The recorded page; each look is a little later."""

    def __init__(self) -> None:
        self._looks = 0

    def __call__(self) -> bytes:
        self._looks += 1
        share = 1 + self._looks / 100
        return COUNTER.sub(lambda match: f"{match[1]} {float(match[2]) * share}", PAGE).encode()


class OperatorPage:
    """A leading operator with one GemmaDeployment that is autoscaled and serves."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._measures = Measures(self.metrics)

    def __call__(self) -> bytes:
        self._process()
        self._deployment()
        self._autoscaler()
        return self.metrics.page()

    def _process(self) -> None:
        metrics = self.metrics
        metrics.leader.labels(CONTROLLER).set(1)
        metrics.canary_age_seconds.set(2.5)
        metrics.reconcile_total.labels(CONTROLLER, "success").inc()
        metrics.reconcile_time_seconds.labels(CONTROLLER).observe(0.04)
        metrics.queue_adds_total.labels(CONTROLLER).inc()
        metrics.queue_wait_seconds.labels(CONTROLLER).observe(0.01)
        metrics.requests_total.labels(method="GET", code="200").inc()
        metrics.plan_seconds.observe(0.02)
        metrics.plans_total.labels("planned").inc()
        metrics.scrapes_total.labels("read").inc()

    def _deployment(self) -> None:
        situation = a_deployment(autoscaling={"minReplicas": 1, "maxReplicas": 4}).serving()
        plan = situation.records[0].record.plan
        assert plan is not None
        pool = LivePool(plan.num_blocks, plan.max_concurrency, int(plan.max_concurrency * plan.context_length))
        situation = replace(situation, pools={"engine-0": pool})
        seen = situation.seen
        scaling = Line(ConditionType.SCALING_ACTIVE, "True", Reason.VALID_METRIC_FOUND, "")
        self._measures.said(seen.live, (*lines(situation).values(), scaling), fields(situation))
        self._measures.saw(seen, situation.choice)

    def _autoscaler(self) -> None:
        metrics, about = self.metrics, (NAMESPACE, NAME)
        metrics.autoscaler_desired.labels(*about).set(1)
        metrics.autoscaler_wanted.labels(*about).set(1)
        metrics.autoscaler_queue.labels(*about).set(25)
        metrics.autoscaler_demand.labels(*about).set(450)
        metrics.autoscaler_capacity.labels(*about).set(600)
        metrics.autoscaler_start_seconds.labels(*about).set(95)
        for state in PodState:
            metrics.autoscaler_pods.labels(*about, state.value).set(state is PodState.SERVING)


@contextmanager
def served(page: Callable[[], bytes]) -> Iterator[str]:
    """The page under ``/metrics``; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
