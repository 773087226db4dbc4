"""Columns and selectable fields of pods. Rules: printPod, ToSelectableFields."""

import pytest

from pilothouse.api.core.pod import RESOURCE
from pilothouse.api.machinery.view import JsonObject

NOW = 1767225600.0 + 3600  # an hour after the pods below were made
POD: JsonObject = {
    "metadata": {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "nodeName": "n1", "restartPolicy": "Always", "schedulerName": "default-scheduler", "serviceAccountName": "sa",
        "hostNetwork": True, "containers": [{"name": "c"}],
        "readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}],
    },
    "status": {
        "phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
        "nominatedNodeName": "n2",
        "conditions": [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}],
        "containerStatuses": [
            {"name": "c", "ready": True, "restartCount": 2, "state": {"running": {}},
             "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:55:00Z"}}},
        ],
    },
}  # fmt: skip
EMPTY: JsonObject = {"spec": {}, "status": {}}


@pytest.mark.parametrize(
    ("pod", "cells"),
    [
        (POD, ["1/1", "Running", "2 (5m ago)", "60m", "10.0.0.1", "n1", "n2", "1/2"]),
        (EMPTY, ["0/0", "", "0", "<unknown>", "<none>", "<none>", "<none>", "<none>"]),
    ],
)
def test_cells(pod: JsonObject, cells: list[str]) -> None:
    assert [column.cell(pod, NOW) for column in RESOURCE.columns] == cells


def test_headers() -> None:
    assert [column.name for column in RESOURCE.columns if not column.priority] == ["Ready", "Status", "Restarts", "Age"]
    assert [column.name for column in RESOURCE.columns if column.priority] == [
        "IP", "Node", "Nominated Node", "Readiness Gates",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "full", "empty"),
    [
        ("spec.nodeName", "n1", ""),
        ("spec.restartPolicy", "Always", ""),
        ("spec.schedulerName", "default-scheduler", ""),
        ("spec.serviceAccountName", "sa", ""),
        ("spec.hostNetwork", "true", "false"),
        ("status.phase", "Running", ""),
        ("status.podIP", "10.0.0.1", ""),
        ("status.nominatedNodeName", "n2", ""),
    ],
)
def test_selectable_fields(field: str, full: str, empty: str) -> None:
    select = RESOURCE.selectable_fields[field]
    assert (select(POD), select(EMPTY)) == (full, empty)
    assert len(RESOURCE.selectable_fields) == 8
    assert set(RESOURCE.indexed_fields) <= set(RESOURCE.selectable_fields)


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        ("Running", None),
        ("Succeeded", ("Succeeded", "The pod has completed successfully.")),
        ("Failed", ("Failed", "The pod failed.")),
    ],
)
def test_rows_of_pods_that_have_ended(phase: str, told: tuple[str, str] | None) -> None:
    wanted = [{"type": "Completed", "status": "True", "reason": told[0], "message": told[1]}] if told else []
    assert RESOURCE.row_conditions is not None
    assert RESOURCE.row_conditions({"status": {"phase": phase}}) == wanted
