"""The scaling loop: looks at each autoscaled GemmaDeployment every few seconds, decides, and carries it out.

Reconcile says what to follow; the loop scrapes the engines, asks the pure policy and the pure drain, and writes pod
labels and the Deployment's replicas, nothing else. What it has to say goes to the status through reconcile, and only
when it is news. Runs while this process leads; what it remembers may be lost at any time, which never shrinks a fleet.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gemma_operator.api.conditions import Reason
from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.drain import DrainActions, next_actions
from gemma_operator.autoscaling.fleet import PodState
from gemma_operator.autoscaling.page import read_sample
from gemma_operator.autoscaling.policy import State, decide
from gemma_operator.autoscaling.settings import Settings
from gemma_operator.controller.cold_starts import ColdStarts
from gemma_operator.controller.drain_measures import count_drains
from gemma_operator.controller.drain_pods import start_draining, stop_draining
from gemma_operator.controller.engine_client import Answer, EngineClient
from gemma_operator.controller.fleet_view import Clock, FleetView, foreign_scaler, unclaimed
from gemma_operator.controller.pod_facts import PodFacts, pod_facts
from gemma_operator.controller.queue import Key
from gemma_operator.controller.scaling_report import Outcome, ScalingReport, scaling_report
from gemma_operator.kube.apply import apply_replicas, owned_by
from gemma_operator.kube.client import Client
from gemma_operator.kube.errors import ApiError, ConflictError, NotLeadingError
from gemma_operator.kube.events import EventType, Notice, Recorder
from gemma_operator.kube.resources import DEPLOYMENTS, PODS, JsonObject
from gemma_operator.manifests.owner import Owner
from gemma_operator.telemetry.logs import log_fields
from gemma_operator.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)
REST_SECONDS = 15.0
SCALING_SECONDS = 5.0
CONFLICT_SECONDS = 1.0
TICK_SECONDS = 0.5
REPORT_SECONDS = 300.0
"""Numbers that move all the time reach the status at most this often; as metrics they are always new."""


@dataclass(frozen=True, slots=True)
class Target:
    """One GemmaDeployment to be scaled. ``digest`` is that of its pods' template, ``live`` the object for Events."""

    live: JsonObject
    owner: Owner
    settings: Settings
    advisory: bool
    digest: str
    drain_timeout_seconds: float


@dataclass(slots=True)
class _Followed:
    """What is remembered of one target."""

    target: Target
    due_at: float = 0.0
    state: State = field(default_factory=State)
    starts: ColdStarts = field(default_factory=ColdStarts)
    looks: int = 0
    report: ScalingReport | None = None
    reported_at: float = 0.0
    expected: tuple[frozenset[str], frozenset[str]] | None = None


class Autoscaler:
    """All targets of one operator process."""

    def __init__(self, client: Client, engines: EngineClient, recorder: Recorder, metrics: Metrics) -> None:
        self._client = client
        self._engines = engines
        self._recorder = recorder
        self._metrics = metrics
        self._followed: dict[Key, _Followed] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}

    def follow(self, key: Key, target: Target) -> None:
        """Scale this from now on. What was learned of it stays, unless it is another object or has another engine."""
        known = self._followed.get(key)
        if known is None or known.target.owner.uid != target.owner.uid:
            self._followed[key] = _Followed(target)
            return
        if known.target.digest != target.digest:
            known.state = State()
        known.target = target

    def unfollow(self, key: Key) -> None:
        """Leave it alone from now on."""
        if self._followed.pop(key, None) is not None:
            self._metrics.forget_autoscaler(key.namespace, key.name)

    def report(self, key: Key) -> ScalingReport | None:
        """What the status should say; ``None`` before the first full look."""
        known = self._followed.get(key)
        return known.report if known else None

    async def run(self, changed: Callable[[Key], None]) -> None:
        """Look at what is due until cancelled. ``changed`` is told of keys whose status has news."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                for key, one in list(self._followed.items()):
                    if one.due_at <= loop.time() and key not in self._running:
                        task = loop.create_task(self._look(key, one, changed), name=f"scaling {key}")
                        self._running[key] = task
                        task.add_done_callback(self._ended(key))
                await asyncio.sleep(TICK_SECONDS)
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._followed.clear()

    def _ended(self, key: Key) -> Callable[[asyncio.Task[None]], None]:
        def forget(_: asyncio.Task[None]) -> None:
            self._running.pop(key, None)

        return forget

    async def _look(self, key: Key, one: _Followed, changed: Callable[[Key], None]) -> None:
        loop = asyncio.get_running_loop()
        one.due_at = loop.time() + REST_SECONDS
        with log_fields(key=str(key)):
            try:
                scaling = await self._tick(key, one, changed)
            except ConflictError as error:
                logger.info("Looks again at once: %s", error)
                one.due_at = loop.time() + CONFLICT_SECONDS
            except NotLeadingError as stopped:
                logger.info("Stopped before a write: %s", stopped)
            except ApiError as error:
                logger.warning("The autoscaler could not look: %s", error)
            except Exception:  # one target must never end the others
                logger.exception("The autoscaler failed")
            else:
                one.due_at = loop.time() + (SCALING_SECONDS if scaling else REST_SECONDS)

    async def _tick(self, key: Key, one: _Followed, changed: Callable[[Key], None]) -> bool:
        target = one.target
        view = await self._view(target.owner)
        if view is None:
            return False
        _tell_wrong_pods(one, view)
        fleet = view.fleet(one.starts.learn(target.digest, view.pods))
        decision, one.state = decide(target.settings, fleet, one.state)
        outcome = Outcome(advisory=target.advisory, foreign=foreign_scaler(view))
        if not outcome.advisory and not outcome.foreign:
            outcome = await self._carry_out(one, view, decision, outcome)
        self._measure(key, decision, view)
        one.looks += 1
        # One page tells no rate: until the second there is nothing to report, and nothing to take back.
        if one.looks > 1 or not view.samples:
            self._publish(key, one, scaling_report(decision, view, outcome), changed)
        return decision.scaling or view.count(PodState.DRAINING) > 0

    async def _view(self, owner: Owner) -> FleetView | None:
        deployment = await self._client.find(DEPLOYMENTS, owner.namespace, owner.name)
        if deployment is None or not owned_by(deployment, owner.uid) or "deletionTimestamp" in deployment["metadata"]:
            return None
        selector = ",".join(f"{name}={value}" for name, value in owner.selector.items())
        listed = await self._client.list_all(PODS, owner.namespace, labels=selector, project=pod_facts)
        pods = tuple(sorted((pod for pod in listed if not pod.terminating), key=lambda pod: pod.name))
        asked_at = asyncio.get_running_loop().time()
        answers = await self._scrape(pods)
        read = {uid: read_sample(answer.page, asked_at) for uid, answer in answers.items() if answer.page}
        samples = {uid: sample for uid, sample in read.items() if sample is not None}
        self._metrics.scrapes_total.labels("read").inc(len(samples))
        self._metrics.scrapes_total.labels("unknown").inc(len(answers) - len(samples))
        clock = Clock(asked_at, datetime.now(UTC).timestamp())
        unreached = frozenset(uid for uid, answer in answers.items() if not answer.reached)
        return FleetView(deployment, pods, samples, clock, unreached)

    async def _scrape(self, pods: tuple[PodFacts, ...]) -> dict[str, Answer]:
        """Answers by UID of the ready pods; time, size and number at once are the client's limits."""
        asked = {pod.uid: pod.address for pod in pods if pod.ready and pod.address}
        answers = await self._engines.ask(asked.values())
        return {uid: answers[address] for uid, address in asked.items()}

    async def _carry_out(self, one: _Followed, view: FleetView, decision: Decision, outcome: Outcome) -> Outcome:
        """Labels first, then the number. On a conflict something has changed: looks again, forces nothing."""
        target, actions = one.target, next_actions(view.scene(decision.desired))
        namespace, by_uid = target.owner.namespace, {pod.uid: pod for pod in view.pods}
        try:
            await stop_draining(self._client, namespace, [by_uid[uid] for uid in actions.release])
            deadline = view.clock.wall_seconds + target.drain_timeout_seconds
            await start_draining(self._client, namespace, [by_uid[uid] for uid in actions.drain], deadline)
            if actions.replicas is not None or unclaimed(view):
                wanted = view.replicas if actions.replicas is None else actions.replicas
                await apply_replicas(self._client, view.deployment, wanted)
        except ConflictError:
            raise
        except ApiError as error:
            logger.warning("The autoscaler could not scale: %s", error)
            return replace(outcome, failure=f"the autoscaler was unable to update the target scale: {error}")
        count_drains(self._metrics, target.owner, view.scene(decision.desired), actions)
        if actions.replicas is not None:
            one.expected = frozenset(by_uid), frozenset(actions.victims)
        if actions != DrainActions():
            await self._tell(target, view, actions, decision)
        return replace(outcome, rescaled=actions.replicas)

    async def _tell(self, target: Target, view: FleetView, actions: DrainActions, decision: Decision) -> None:
        logger.info(
            "Desired %d, replicas %d to %s, drains %d, takes back %d: %s",
            decision.desired,
            view.replicas,
            view.replicas if actions.replicas is None else actions.replicas,
            len(actions.drain),
            len(actions.release),
            decision.reason,
        )
        if actions.replicas is None:
            return
        direction = "up" if actions.replicas > view.replicas else "down"
        self._metrics.autoscaler_rescales_total.labels(target.owner.namespace, target.owner.name, direction).inc()
        note = f"New size: {actions.replicas}; reason: {decision.reason}"
        await self._recorder.post(target.live, Notice(EventType.NORMAL, Reason.SUCCESSFUL_RESCALE, "Scale", note))

    def _publish(self, key: Key, one: _Followed, report: ScalingReport, changed: Callable[[Key], None]) -> None:
        now = asyncio.get_running_loop().time()
        known = one.report
        if known is not None and known.news == report.news and now - one.reported_at < REPORT_SECONDS:
            return
        one.reported_at = now
        if known != report:
            one.report = report
            changed(key)

    def _measure(self, key: Key, decision: Decision, view: FleetView) -> None:
        values = {
            self._metrics.autoscaler_desired: decision.desired,
            self._metrics.autoscaler_wanted: decision.wanted,
            self._metrics.autoscaler_queue: decision.queue_depth,
            self._metrics.autoscaler_demand: decision.tokens_per_second,
            self._metrics.autoscaler_capacity: decision.capacity_tokens_per_second,
            self._metrics.autoscaler_start_seconds: decision.start_seconds,
        }
        for gauge, value in values.items():
            gauge.labels(key.namespace, key.name).set(value)
        for state in PodState:
            self._metrics.autoscaler_pods.labels(key.namespace, key.name, state.value).set(view.count(state))


def _tell_wrong_pods(one: _Followed, view: FleetView) -> None:
    """After a smaller number: which pods went? One that served is said; the drain gives a survivor its label back."""
    if one.expected is None or view.replicas < len(view.pods):
        return
    before, victims = one.expected
    one.expected = None
    wrong = before - victims - {pod.uid for pod in view.pods}
    if wrong:
        logger.warning("%d pods went that were not drained: %s", len(wrong), ", ".join(sorted(wrong)))
