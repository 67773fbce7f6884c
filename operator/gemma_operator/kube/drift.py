"""Does the live object still say what we want, and who has added to it?

Pure. Called before every apply, so that nothing is written at rest: an apply that changes nothing is still a
request. ``covers`` compares only what we want; fields that the server defaults or others own are left alone.
``owns_more`` finds what we wanted once and want no longer, ``foreign_fields`` what other managers added below a
path, ``owners_of`` who wrote one field; all three read ``managedFields``.
"""

import json
from collections.abc import Iterator
from typing import Any

from gemma_operator.gpus.quantity import parse_quantity
from gemma_operator.kube.resources import JsonObject

_MERGE_KEYS = ("name", "mountPath", "containerPort", "port", "uid", "key", "type", "topologyKey")
_QUANTITIES = frozenset({"requests", "limits", "sizeLimit"})
_ABSENT: tuple[object, ...] = (None, {}, [], "")


def covers(live: Any, wanted: Any, quantities: bool = False) -> bool:
    """Whether everything in ``wanted`` is in ``live`` with the same value.

    Maps may have more keys and lists of named things more members; other lists must be equal in length and order.
    ``quantities`` compares by value, because the server rewrites their form; it is set below requests and limits.

    >>> covers({"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "1000m"}})
    True
    """
    if isinstance(wanted, dict):
        if not wanted:
            return live is None or isinstance(live, dict)
        return isinstance(live, dict) and all(
            covers(live.get(key), value, quantities or key in _QUANTITIES) if key in live else value in _ABSENT
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not wanted:
            return live in _ABSENT
        return isinstance(live, list) and _covers_list(live, wanted, quantities)
    same = bool(live == wanted) and isinstance(live, bool) == isinstance(wanted, bool)
    return same or (quantities and _same_quantity(live, wanted))


def _covers_list(live: list[Any], wanted: list[Any], quantities: bool) -> bool:
    key = _merge_key(wanted)
    if key is None:
        return len(live) == len(wanted) and all(covers(*pair, quantities) for pair in zip(live, wanted, strict=True))
    by_key = {member[key]: member for member in live if isinstance(member, dict) and key in member}
    return all(covers(by_key.get(member[key]), member, quantities) for member in wanted)


def _merge_key(members: list[Any]) -> str | None:
    for key in _MERGE_KEYS:
        if all(isinstance(member, dict) and key in member for member in members):
            return key if len({member[key] for member in members}) == len(members) else None
    return None


def _same_quantity(live: Any, wanted: Any) -> bool:
    if not (isinstance(live, str | int) and isinstance(wanted, str | int)):
        return False
    return (value := _quantity(live)) is not None and value == _quantity(wanted)


def _quantity(value: str | int) -> float | None:
    try:
        return parse_quantity(value)
    except ValueError:
        return None


def owns_more(live: JsonObject, wanted: JsonObject, manager: str) -> bool:
    """Whether our last apply had a field that ``wanted`` has no more: the next apply is what removes it."""
    return any(
        not _holds(wanted, entry.get("fieldsV1") or {})
        for entry in live.get("metadata", {}).get("managedFields") or []
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    )


def _holds(wanted: Any, fields: JsonObject) -> bool:
    """Whether every owned field has its place in ``wanted``. Values are the business of ``covers``."""
    return all(_place(wanted, key, below) for key, below in fields.items() if key != ".")


def _place(wanted: Any, key: str, below: JsonObject) -> bool:
    kind, _, name = key.partition(":")
    if kind == "f":
        return isinstance(wanted, dict) and name in wanted and _holds(wanted[name], below)
    if not isinstance(wanted, list):
        return False
    if kind == "v":
        return json.loads(name) in wanted
    identity = json.loads(name)
    # The server adds defaulted keys (a port's protocol), which our own member does not spell out.
    return any(
        isinstance(member, dict)
        and all(member.get(part, value) == value for part, value in identity.items())
        and _holds(member | identity, below)
        for member in wanted
    )


def owners_of(obj: JsonObject, *path: str) -> tuple[JsonObject, ...]:
    """The ``managedFields`` entries that own a field. A value that the server defaulted has none.

    >>> owners_of({"metadata": {}}, "spec", "replicas")
    ()
    """
    found = []
    for entry in obj.get("metadata", {}).get("managedFields") or ():
        fields: Any = entry.get("fieldsV1") or {}
        for part in path[:-1]:
            fields = fields.get(f"f:{part}") or {}
        if f"f:{path[-1]}" in fields:
            found.append(entry)
    return tuple(found)


def foreign_fields(obj: JsonObject, below: tuple[str, ...], ours: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Fields below a path that managers other than ``ours`` own, as dotted paths by manager.

    List members appear by their key: ``spec.template.spec.containers[name=proxy]``.
    """
    found: dict[str, tuple[str, ...]] = {}
    for entry in obj.get("metadata", {}).get("managedFields") or []:
        if entry.get("manager") in ours or entry.get("subresource"):
            continue
        fields: Any = entry.get("fieldsV1") or {}
        for part in below:
            fields = fields.get(f"f:{part}") or {}
        if paths := tuple(_leaves(fields, ".".join(below))):
            found[entry["manager"]] = (*found.get(entry["manager"], ()), *paths)
    return found


def _leaves(fields: JsonObject, path: str) -> Iterator[str]:
    """The outermost fields that are wholly owned, or the leaves where only a part is."""
    for key, value in sorted(fields.items()):
        if key == ".":
            continue
        kind, _, name = key.partition(":")
        here = f"{path}.{name}" if kind == "f" else f"{path}[{_member(name)}]"
        if not value or "." in value:
            yield here
        else:
            yield from _leaves(value, here)


def _member(key: str) -> str:
    return key.strip("{}").replace('"', "").replace(":", "=")
