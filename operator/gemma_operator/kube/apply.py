"""Bring one owned object to what a builder made, by server-side apply, and touch nothing that is not ours.

Called by reconcile for each object of a GemmaDeployment. Read first: an object of that name without our owner UID
is somebody's own and never written to. Once seen, every apply carries the UID, so that an object that was deleted
and made anew by others in between is not reached. ``replicas`` is never part of the main apply: another manager
owns it, and leaving out a field that one owned collapses the Deployment to one replica.
"""

from dataclasses import dataclass
from enum import StrEnum

from gemma_operator.kube.client import Client
from gemma_operator.kube.drift import covers, owns_more
from gemma_operator.kube.errors import ConflictError
from gemma_operator.kube.resources import DEPLOYMENTS, JsonObject, Resource, resource_of


class FieldManager(StrEnum):
    """One field manager per concern. A changed name leaves fields behind for ever: these never change."""

    OBJECTS = "gemma-operator"
    REPLICAS = "gemma-operator-replicas"
    STATUS = "gemma-operator-status"
    REPAIR = "gemma-operator-repair"
    DRAIN = "gemma-operator-drain"
    LEASE = "gemma-operator-lease"
    EVENTS = "gemma-operator-events"


OUR_MANAGERS = frozenset(str(manager) for manager in FieldManager)


class NameTakenError(Exception):
    """An object of the wanted name exists and belongs to somebody else."""

    def __init__(self, resource: Resource, namespace: str, name: str) -> None:
        super().__init__(
            f"{resource.kind} {namespace}/{name} exists and is not owned by this GemmaDeployment; "
            "rename or delete it, or give the GemmaDeployment another name"
        )


class Change(StrEnum):
    """What an apply did."""

    CREATED = "created"
    UPDATED = "updated"
    NONE = "unchanged"


@dataclass(frozen=True, slots=True)
class Applied:
    """The live object after an apply, and what the apply did. ``live`` is ``None`` while an old one is going.

    ``before`` is the object that the apply met, ``None`` where it made one: what others had changed can be told
    from it alone, because the apply takes their fields over.
    """

    live: JsonObject | None
    change: Change
    before: JsonObject | None = None


def owned_by(obj: JsonObject, uid: str) -> bool:
    """Whether the object's controller is the one with that UID."""
    references = obj.get("metadata", {}).get("ownerReferences") or []
    return any(reference.get("uid") == uid and reference.get("controller") for reference in references)


async def ensure(client: Client, wanted: JsonObject, owner_uid: str) -> Applied:
    """Create or correct ``wanted``; nothing is sent where the live object is what we want.

    Raises ``NameTakenError``, and ``ApiError`` as the client does.
    """
    resource = resource_of(wanted)
    if resource is DEPLOYMENTS and "replicas" in wanted["spec"]:
        raise ValueError("the main apply must not contain spec.replicas; use apply_replicas")
    namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
    live = await client.find(resource, namespace, name)
    if live is None:
        return await _create(client, resource, wanted)
    if not owned_by(live, owner_uid):
        raise NameTakenError(resource, namespace, name)
    if live["metadata"].get("deletionTimestamp"):
        return Applied(None, Change.NONE)
    if covers(live, wanted) and not owns_more(live, wanted, FieldManager.OBJECTS):
        return Applied(live, Change.NONE, live)
    after = await client.apply(resource, _fenced(wanted, live), manager=FieldManager.OBJECTS)
    return Applied(after, Change.UPDATED, live)


async def _create(client: Client, resource: Resource, wanted: JsonObject) -> Applied:
    """First apply, without force: if somebody made the object since it was read, their fields conflict."""
    try:
        live = await client.apply(resource, wanted, manager=FieldManager.OBJECTS, force=False)
    except ConflictError as conflict:
        raise NameTakenError(resource, wanted["metadata"]["namespace"], wanted["metadata"]["name"]) from conflict
    return Applied(live, Change.CREATED)


def _fenced(wanted: JsonObject, live: JsonObject) -> JsonObject:
    return {**wanted, "metadata": {**wanted["metadata"], "uid": live["metadata"]["uid"]}}


async def apply_replicas(client: Client, live: JsonObject, replicas: int) -> JsonObject:
    """Set the replica count of exactly the Deployment that was read.

    UID and resourceVersion go along: stale is ``ConflictError``, an object that is gone is never created again.
    """
    meta = live["metadata"]
    change = {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")},
        "spec": {"replicas": replicas},
    }
    return await client.apply(DEPLOYMENTS, change, manager=FieldManager.REPLICAS)


async def strip_template(client: Client, live: JsonObject, template: JsonObject) -> JsonObject:
    """Replace the pod template of exactly this Deployment by ours, so that additions of others go.

    Server-side apply can't remove what others own; a conditional replace can. Values that the server defaults come
    back by themselves, so the template's hash, and with it the ReplicaSet, is the one from before the edit.
    """
    stripped = {**live, "spec": {**live["spec"], "template": template}}
    stripped["metadata"] = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    stripped.pop("status", None)
    return await client.replace(DEPLOYMENTS, stripped, manager=FieldManager.REPAIR)
