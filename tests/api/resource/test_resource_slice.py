"""ResourceSlice. Source: pkg/apis/resource/validation/validation_resourceslice_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, updated
from pilothouse.api.machinery.resource import Stamp
from pilothouse.api.resource.resource_slice import RESOURCE

POOL: dict[str, Any] = {"name": "p", "resourceSliceCount": 1, "generation": 0}
GOOD: dict[str, Any] = {"metadata": {"name": "s"}, "spec": {"driver": "a.b", "pool": POOL, "nodeName": "n"}}
ONE_PLACE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
COUNTERS = [{"name": "c", "counters": {"memory": {"value": "1Gi"}}}]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"sharedCounters": COUNTERS}, []),
        ({"devices": [{"name": str(n)} for n in range(128)]}, []),
        ({"driver": ""}, ["spec.driver: Required value"]),
        ({"pool": {"name": None}}, ["spec.pool.name: Required value"]),
        (
            {"pool": {"resourceSliceCount": 0, "generation": -1}},
            [
                "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
                "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero",
            ],
        ),
        ({"nodeName": None}, [f"spec: Required value: {ONE_PLACE}"]),
        (
            {"allNodes": True},
            [f'spec: Invalid value: "{{`nodeName`, `allNodes`}}": {ONE_PLACE}, but multiple fields are set'],
        ),
        (
            {"nodeName": "", "perDeviceNodeSelection": True},
            ['spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string'],
        ),
        ({"allNodes": False}, ["spec.allNodes: Invalid value: false: must be either unset or set to true"]),
        (
            {"nodeName": None, "nodeSelector": {"nodeSelectorTerms": [{}, {}]}},
            [("spec.nodeSelector.nodeSelectorTerms: Invalid value: [{},{}]: must have exactly one node selector term")],
        ),
        (
            {"sharedCounters": COUNTERS, "devices": [{"name": "d"}]},
            ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
        ),
        ({"devices": [{"name": "d"}, {"name": "d"}]}, ['spec.devices[1]: Duplicate value: "d"']),
        (
            {"devices": [{"name": str(n)} for n in range(129)]},
            ["spec.devices: Too many: 129: must have at most 128 items"],
        ),
        (
            {"devices": [{"name": str(n), "taints": [{"key": "a", "effect": "None"}]} for n in range(65)]},
            ["spec.devices: Too many: 65: must have at most 64 items"],
        ),
        (
            {"sharedCounters": [{}]},
            ["spec.sharedCounters[0].name: Required value", "spec.sharedCounters[0].counters: Required value"],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert [error for error in created(RESOURCE, GOOD, {"spec": spec}) if "RFC 1123" not in error] == wrong


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"devices": [{"name": "d"}], "pool": {"generation": 1}}, []),
        ({"driver": "c.d"}, ['spec.driver: Invalid value: "c.d": field is immutable']),
        ({"pool": {"name": "q"}}, ['spec.pool.name: Invalid value: "q": field is immutable']),
        ({"nodeName": "m"}, ['spec.nodeName: Invalid value: "m": field is immutable']),
    ],
)
def test_update(spec: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_since_when() -> None:
    obj = patched(GOOD, {"spec": {"devices": [{"name": "d", "taints": [{"key": "a"}]}]}})
    assert RESOURCE.stamp is not None
    RESOURCE.stamp(obj, None, Stamp(0.0, "driver"))
    assert obj["spec"]["devices"][0]["taints"] == [{"key": "a", "timeAdded": "1970-01-01T00:00:00Z"}]
