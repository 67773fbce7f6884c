"""A dashboard of rows of panels, as the JSON that Grafana imports.

Only what a reader of the description decides is an argument; layout, colours and data source follow. Ids depend on
the order alone, so that a rendered file changes where its description does. No data source is written down: each
panel asks the one that the variable names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["timeseries", "stat", "table", "bargauge", "state-timeline"]
WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
INSTANT: frozenset[Kind] = frozenset({"table", "bargauge"})
SCHEMA_VERSION = 39


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``queries`` are pairs of PromQL and legend; ``unit`` is Grafana's id of it.

    ``bad_below`` and ``bad_above`` colour what is wrong. ``text`` says what a reader learns and what is good.
    """

    title: str
    text: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 7
    stacked: bool = False
    bad_below: float | None = None
    bad_above: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, in reading order."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top, filled by a ``label_values`` query. ``many`` allows several and all."""

    name: str
    query: str
    many: bool = True


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What is written into one file, ``uid`` being its name and its address."""

    uid: str
    title: str
    text: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


def render(board: Dashboard) -> Json:
    """The JSON model."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.text,
        "tags": ["gemma", "vllm"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "title": "Gemma", "tags": ["gemma"], "asDropdown": True, "keepTime": True},
        ],
        "templating": {"list": [_datasource(), *(_variable(variable) for variable in board.variables)]},
        "panels": list(_panels(board.rows)),
    }


def _datasource() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": variable.query, "refId": variable.name},
        "definition": variable.query,
        "refresh": 2,
        "sort": 1,
        "multi": variable.many,
        "includeAll": variable.many,
        **({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if variable.many else {}),
    }


def _panels(rows: tuple[Row, ...]) -> Iterator[Json]:
    number, y = 0, 0
    for row in rows:
        number += 1
        yield _placed({"type": "row", "title": row.title, "collapsed": False, "panels": []}, number, 0, y, WIDTH, 1)
        y, x, tallest = y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield _placed(_panel(panel), number, x, y, panel.width, panel.height)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _placed(panel: Json, number: int, x: int, y: int, width: int, height: int) -> Json:
    return {"id": number, "gridPos": {"h": height, "w": width, "x": x, "y": y}, **panel}


def _panel(panel: Panel) -> Json:
    instant = panel.kind in INSTANT
    custom: Json = {"fillOpacity": 60 if panel.stacked else 8, "lineWidth": 1, "showPoints": "never"}
    if panel.stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": DATASOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query,
                "legendFormat": legend,
                "instant": instant,
                "range": not instant,
                **({"format": "table"} if panel.kind == "table" else {}),
            }
            for index, (query, legend) in enumerate(panel.queries)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": _thresholds(panel),
                **({"custom": custom} if panel.kind == "timeseries" else {"color": {"mode": "thresholds"}}),
            },
            "overrides": [],
        },
        "options": _options(panel),
    }


def _thresholds(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    if panel.bad_above is not None:
        steps.append({"color": "red", "value": panel.bad_above})
    return {"mode": "absolute", "steps": steps}


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    reduce: Json = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind == "state-timeline":
        return {"mergeValues": True, "showValue": "never", "legend": {"showLegend": True, "placement": "bottom"}}
    return reduce | {"orientation": "horizontal"}
