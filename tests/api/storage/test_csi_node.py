"""CSINode. Source: pkg/apis/storage/validation/validation_test.go. *assumed*: the number of volumes may change."""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.storage.csi_node import RESOURCE

DRIVER: dict[str, Any] = {"name": "csi.example.com", "nodeID": "n1", "topologyKeys": ["a.example.com/zone"]}
GOOD: dict[str, Any] = {"metadata": {"name": "node-1"}, "spec": {"drivers": [DRIVER]}}
D = "spec.drivers[0]"


@pytest.mark.parametrize(
    ("driver", "wrong"),
    [
        ({}, []),
        ({"nodeID": ""}, [f"{D}.nodeID: Required value"]),
        ({"nodeID": "x" * 256}, []),
        ({"nodeID": "x" * 257}, [f'{D}.nodeID: Invalid value: "{"x" * 257}": must be 256 characters or less']),
        ({"name": ""}, [f"{D}.name: Required value"]),
        ({"allocatable": {"count": 0}}, []),
        (
            {"allocatable": {"count": -1}},
            [f"{D}.allocatable.count: Invalid value: -1: must be greater than or equal to 0"],
        ),
        ({"topologyKeys": ["a", "a"]}, [f'{D}: Duplicate value: "a"']),
    ],
)
def test_create(driver: dict[str, Any], wrong: list[str]) -> None:
    found = created(RESOURCE, GOOD, {"spec": {"drivers": [{**DRIVER, **driver}]}})
    assert [error for error in found if "RFC" not in error] == wrong


def test_a_topology_key_is_a_qualified_name() -> None:
    found = created(RESOURCE, GOOD, {"spec": {"drivers": [{**DRIVER, "topologyKeys": [""]}]}})
    assert found[0] == f"{D}: Required value"
    assert {error.partition(": ")[0] for error in found[1:]} == {D}


def test_a_driver_is_there_once() -> None:
    found = created(RESOURCE, GOOD, {"spec": {"drivers": [DRIVER, DRIVER]}})
    assert found == ['spec.drivers[1].name: Duplicate value: "csi.example.com"']


@pytest.mark.parametrize(
    ("drivers", "wrong"),
    [
        ([DRIVER, {"name": "b", "nodeID": "n2"}], []),
        ([], []),
        ([{**DRIVER, "allocatable": {"count": 3}}], []),
        (
            [{**DRIVER, "nodeID": "n2"}],
            [
                (
                    'CSINodeDriver: Invalid value: {"Name":"csi.example.com","NodeID":"n2",'
                    '"TopologyKeys":["a.example.com/zone"],"Allocatable":null}: field is immutable'
                )
            ],
        ),
    ],
)
def test_update(drivers: list[dict[str, Any]], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, {"spec": {"drivers": drivers}}) == wrong
