import numpy as np
import pytest

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Diagnosis, Refusal
from pilothouse.scheduler.plugins.node_resources_fit import NodeResourcesFit
from scheduler.samples import alone, cluster, info, node

FIT = NodeResourcesFit()


@pytest.mark.parametrize(
    ("needs", "refusal"),
    [
        ({}, None),
        ({"cpu": "2"}, None),
        ({"cpu": "2001m"}, Refusal(("Insufficient cpu",))),
        ({"cpu": "5"}, Refusal(("Insufficient cpu",), resolvable=False)),
        ({"cpu": "3", "memory": "9Gi"}, Refusal(("Insufficient cpu", "Insufficient memory"), resolvable=False)),
        ({"ephemeral-storage": "1"}, Refusal(("Insufficient ephemeral-storage",), resolvable=False)),
        ({"example.org/gpu": "1"}, Refusal(("Insufficient example.org/gpu",), resolvable=False)),
        ({"example.org/gpu": "0"}, None),
    ],
)
def test_what_is_too_much(needs: dict[str, str], refusal: Refusal | None) -> None:
    at = alone(node(cpu="4"), info("there", requests={"cpu": "2"}, on="n"))
    assert FIT.refuse(info(requests=needs), at) == refusal


def test_the_number_of_pods_is_limited() -> None:
    at = alone(node(pods="1"), info("there", on="n"))
    assert FIT.refuse(info(), at) == Refusal(("Too many pods",))


def test_reasons_are_counted() -> None:
    nodes = cluster(node("a", cpu="1"), node("b", cpu="1", memory="1Gi"), node("c", pods="0", memory="1Gi"),
                    node("d"), running=(info("there", requests={"cpu": "4"}, on="d"),))  # fmt: skip
    diagnosis = Diagnosis(4)
    FIT.explain(info(requests={"cpu": "2", "memory": "2Gi"}), nodes, np.arange(4), diagnosis)
    assert diagnosis.reasons == {"Insufficient cpu": 3, "Insufficient memory": 2, "Too many pods": 1}
    assert diagnosis.resolvable == [3]


@pytest.mark.parametrize(
    ("offers", "needs", "score"),
    [
        ({"cpu": "4", "memory": "8Gi"}, {"cpu": "1", "memory": "2Gi"}, 75),
        ({"cpu": "4", "memory": "8Gi"}, {"cpu": "4", "memory": "8Gi"}, 0),
        ({"cpu": "4", "memory": "0"}, {"cpu": "3"}, 25),
        ({"cpu": "0", "memory": "0"}, {}, 0),
        ({"cpu": "1", "memory": "1000Mi"}, {}, (90 + 80) // 2),
        ({"cpu": "3", "memory": "3Gi"}, {"cpu": "1", "memory": "1Gi"}, 66),
    ],
)
def test_the_emptiest_is_the_best(offers: dict[str, str], needs: dict[str, str], score: int) -> None:
    nodes = cluster(node(**offers))
    found = FIT.rates(info(requests=needs), nodes)
    assert found is not None
    assert found[0] == score


def test_pods_that_request_nothing_count_as_well() -> None:
    nodes = cluster(node("a", cpu="1", memory="1000Mi"), node("b", cpu="1", memory="1000Mi"),
                    running=(info("there", on="a"),))  # fmt: skip
    found = FIT.rates(info(), nodes)
    assert found is not None
    assert found[:2].tolist() == [70, 85]


@pytest.mark.parametrize(
    ("change", "old", "new", "helps"),
    [
        (Change.NODE_ADDED, None, node(cpu="1"), False),
        (Change.NODE_ADDED, None, node(cpu="2"), True),
        (Change.NODE_ALLOCATABLE, node(cpu="0"), node(cpu="1"), False),
        (Change.NODE_ALLOCATABLE, node(cpu="1"), node(cpu="2"), True),
        (Change.NODE_ALLOCATABLE, node(cpu="2"), node(cpu="3"), True),
        (Change.NODE_ALLOCATABLE, node(cpu="3"), node(cpu="3", pods="20"), True),
        (Change.NODE_ALLOCATABLE, node(cpu="3"), node(cpu="2"), False),
        (Change.NODE_ALLOCATABLE, node(cpu="3"), node(cpu="3", memory="9Gi"), False),
        (Change.POD_DELETED, None, None, True),
    ],
)
def test_what_helps(change: Change, old: object, new: object, helps: bool) -> None:
    assert FIT.helps(info(requests={"cpu": "2"}), Happened(change, old, new)) is helps
