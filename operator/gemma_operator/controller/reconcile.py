"""Observe, decide, act, report: one GemmaDeployment brought one step closer to its spec.

Takes a key, never an event. What is to be done follows from what is there; nothing is remembered between two calls
that could not be read again.
"""

from collections.abc import Mapping

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.api.labels import RECONCILE_AT_ANNOTATION
from gemma_operator.controller.act import act, mark_failed, mark_pinned
from gemma_operator.controller.choose import Choice, choose, template_digest
from gemma_operator.controller.context_check import check_context
from gemma_operator.controller.decisions import Decisions
from gemma_operator.controller.drain_pods import stop_draining
from gemma_operator.controller.learned import overhead_bytes
from gemma_operator.controller.observation import Observation
from gemma_operator.controller.observe import Observer
from gemma_operator.controller.queue import Key
from gemma_operator.controller.report import Reporter
from gemma_operator.controller.rollout import RolloutState, packing, rollout_state
from gemma_operator.controller.scaling_loop import Autoscaler
from gemma_operator.controller.scaling_target import scaling_status, scaling_target
from gemma_operator.controller.status import Line, Verdicts, conditions, refused, status_fields
from gemma_operator.controller.waiting import waiting_for
from gemma_operator.kube.apply import NameTakenError
from gemma_operator.kube.client import Client
from gemma_operator.kube.resources import GEMMA_DEPLOYMENTS, JsonObject
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.intake import ManifestError
from gemma_operator.planning.packing import Way
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.telemetry.metrics import Metrics

LOOK_AGAIN_SECONDS = 15.0
"""While something is under way: pods tell most by events, engines and GPUs only when asked."""

SILENT_SECONDS = 300.0
"""The longest pause between two questions to ready engines that do not answer."""


class Reconciler:
    """Reconciles keys; one for the process."""

    def __init__(
        self,
        client: Client,
        observer: Observer,
        reporter: Reporter,
        metrics: Metrics,
        scripts: Mapping[str, str],
        autoscaler: Autoscaler,
    ) -> None:
        self._client = client
        self._observer = observer
        self._reporter = reporter
        self._metrics = metrics
        self._scripts = scripts
        self._autoscaler = autoscaler
        self._silent: dict[Key, int] = {}
        self._asked_at: dict[Key, str] = {}
        self._decide = Decisions(self._plan)

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns after how many seconds to look again, ``None`` at rest."""
        live = await self._client.find(GEMMA_DEPLOYMENTS, key.namespace, key.name)
        if live is None or live["metadata"].get("deletionTimestamp"):
            self._reporter.measures.forget(key.namespace, key.name)
            self._silent.pop(key, None)
            self._asked_at.pop(key, None)
            self._autoscaler.unfollow(key)
            return None
        try:
            seen = await self._observer.observe(live, newest_nodes=self._asked_anew(key, live))
        except ManifestError as error:
            await self._report_problem(live, Reason.INVALID_SPEC, str(error))
            return None
        choice = choose(seen, self._scripts, self._decide)
        if not choice.fits and not _answered(live):
            seen = await self._observer.observe(live, newest_nodes=True)
            choice = choose(seen, self._scripts, self._decide)
        try:
            verdicts = await self._act(seen, choice)
        except NameTakenError as error:
            await self._report_problem(live, Reason.NAME_TAKEN, str(error))
            return LOOK_AGAIN_SECONDS
        state = rollout_state(seen, choice)
        pinned = await self._remember(seen, choice, state)
        promised, template = (choice.record.plan, template_digest(choice.record)) if choice.record else (None, "")
        context = check_context(promised, seen.pods, seen.pools, template)
        self._reporter.measures.saw(seen, choice)
        await self._hand_over(key, seen, choice)
        told = scaling_status(seen, self._autoscaler.report(key))
        lines = (*conditions(seen, choice, state, context, verdicts), *told.lines)
        await self._reporter.report(live, lines, status_fields(seen, choice, state) | dict(told.fields))
        if seen.hands_off:
            return None
        return self._look_again(key, seen) if state.done and pinned else LOOK_AGAIN_SECONDS

    def _asked_anew(self, key: Key, live: JsonObject) -> bool:
        """Whether somebody has written another time into the annotation that asks for a reconcile."""
        asked_at = str((live["metadata"].get("annotations") or {}).get(RECONCILE_AT_ANNOTATION, ""))
        before = self._asked_at.get(key, "")
        self._asked_at[key] = asked_at
        return asked_at != before

    async def _hand_over(self, key: Key, seen: Observation, choice: Choice) -> None:
        """Say what is to be scaled. Pods that were drained for that serve again once nobody scales."""
        target = scaling_target(seen, choice)
        if target is None:
            self._autoscaler.unfollow(key)
        else:
            self._autoscaler.follow(key, target)
        if not seen.deployment_object.spec.scales_itself:
            left = [pod for pod in seen.pods if pod.drain_deadline is not None and not pod.terminating]
            await stop_draining(self._client, key.namespace, left)

    def _look_again(self, key: Key, seen: Observation) -> float | None:
        """At rest there is no need, unless ready engines are silent: those are asked again, ever more seldom."""
        if all(pool is not None for pool in seen.pools.values()):
            self._silent.pop(key, None)
            return None
        times = self._silent[key] = self._silent.get(key, -1) + 1
        return min(SILENT_SECONDS, LOOK_AGAIN_SECONDS * 2.0 ** min(times, 10))

    async def _act(self, seen: Observation, choice: Choice) -> Verdicts:
        if seen.hands_off:
            return Verdicts()
        found = packing(seen, choice)
        if found is not None and found.way is not Way.SURGE:
            # Old pods would go first: only where the GPUs of this moment leave no other way.
            found = packing(await self._observer.recounted(seen), choice)
        return await act(self._client, seen, choice, found)

    async def _remember(self, seen: Observation, choice: Choice, state: RolloutState) -> bool:
        """Pin the record once a pod of it is Ready; mark it failed when its start-up budget is over.

        Returns whether the record in force is pinned now.
        """
        known = next((entry for entry in seen.records if entry.revision == choice.revision), None)
        if known is None or seen.hands_off:
            return choice.pinned
        digest = template_digest(known.record)
        if not known.pinned and any(pod.ready and pod.template_digest == digest for pod in seen.pods):
            plan_ = known.record.plan
            learned = overhead_bytes(plan_, seen.pods, seen.pools) if plan_ is not None else None
            await mark_pinned(self._client, known, learned)
            return True
        if state.timed_out and state.applied and not known.pinned and not known.failure:
            why = refused(choice.refusal, choice) if choice.refusal else waiting_for(seen, choice)[1]
            await mark_failed(self._client, known, why)
        return known.pinned

    async def _report_problem(self, live: JsonObject, reason: Reason, message: str) -> None:
        """The spec or a name stands in the way: say so, and leave everything else of the status as it was."""
        lines = [
            Line(ConditionType.READY, "False", reason, message),
            Line(ConditionType.STALLED, "True", reason, message),
            Line(ConditionType.DEGRADED, "True", reason, message),
        ]
        old = dict(live.get("status") or {})
        told = {line.type.value for line in lines}
        kept = [
            Line(ConditionType(item["type"]), item["status"], Reason(item["reason"]), item["message"])
            for item in old.pop("conditions", ())
            if item["type"] not in told
        ]
        fields = old | {"observedGeneration": live["metadata"]["generation"]}
        await self._reporter.report(live, [lines[0], *kept, *lines[1:]], fields)

    def _plan(self, snapshot: Snapshot) -> Decision:
        with self._metrics.plan_seconds.time():
            decision = plan(snapshot)
        self._metrics.plans_total.labels("planned" if decision.plan else "impossible").inc()
        return decision


def _answered(live: JsonObject) -> bool:
    """Whether the status has a verdict on this generation of the spec."""
    found = (live.get("status") or {}).get("conditions") or ()
    return any(
        item["type"] == ConditionType.PLANNED and item.get("observedGeneration") == live["metadata"]["generation"]
        for item in found
    )
