"""What is kept of a plan survives the way through the API server and an upgrade of the operator."""

import json
from dataclasses import replace

from gemma_operator.catalog.precision import Modality
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.overhead_key import key_of_plan
from gemma_operator.planning.record import PlanRecord, digest, plan_hash, read_record
from tests.unit.planning.asks import K, decide, gpus

ASK = Ask(64 * K)
PLAN = decide(ASK, gpus(L40S=1)).plan
assert PLAN is not None
RECORD = PlanRecord(
    plan_hash=plan_hash(ASK),
    pods_hash="0123456789",
    plan=PLAN,
    template={"spec": {"containers": [{"name": "engine"}]}},
    scripts={"startup_probe.py": "pass\n"},
    measured=MeasuredOverheads(inside_bytes=((key_of_plan(PLAN, "image"), 3),)),
    refusals=1,
)


def through_json(record: PlanRecord) -> PlanRecord:
    return read_record(json.loads(json.dumps(record.data())))


def test_a_record_comes_back_whole() -> None:
    assert through_json(RECORD) == RECORD


def test_its_name_follows_from_its_content() -> None:
    assert through_json(RECORD).name_suffix == RECORD.name_suffix
    assert replace(RECORD, refusals=2).name_suffix != RECORD.name_suffix


def test_a_plan_of_another_version_keeps_its_template() -> None:
    data = RECORD.data() | {"plan": {"of": "another form"}}
    read = read_record(data)
    assert read.plan is None
    assert read.template == RECORD.template
    assert read.plan_hash == RECORD.plan_hash


def test_an_empty_revision_is_no_error() -> None:
    assert read_record({}).template == {}


def test_replicas_are_no_planning_input_and_everything_else_is() -> None:
    assert plan_hash(replace(ASK, replicas=7)) == plan_hash(ASK)
    assert plan_hash(replace(ASK, context_length=128 * K)) != plan_hash(ASK)
    assert plan_hash(replace(ASK, modalities=frozenset({Modality.TEXT, Modality.IMAGE}))) != plan_hash(ASK)
    assert plan_hash(replace(ASK, extra_args=("--seed", "1"))) != plan_hash(ASK)


def test_the_order_of_modalities_does_not_matter() -> None:
    one = frozenset({Modality.TEXT, Modality.IMAGE, Modality.AUDIO})
    other = frozenset({Modality.AUDIO, Modality.TEXT, Modality.IMAGE})
    assert plan_hash(replace(ASK, modalities=one)) == plan_hash(replace(ASK, modalities=other))


def test_the_hash_is_the_one_that_running_clusters_hold() -> None:
    """A change of this figure plans every GemmaDeployment anew at the next upgrade of the operator.

    Only what differs from its default is hashed: a field that a later version adds moves no plan.
    """
    assert plan_hash(Ask(64 * K, variant="31B")) == digest({"context_length": 65536, "variant": "31B"})
    assert digest({"context_length": 65536, "variant": "31B"}) == "273994d7c9"
