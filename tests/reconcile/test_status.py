from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.reconcile.status import same_status, update_status
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ({}, {"replicas": 0}, True),
        ({"replicas": 0, "readyReplicas": None}, {"conditions": []}, True),
        ({"replicas": 1}, {"replicas": 2}, False),
        ({"replicas": 1, "readyReplicas": 1}, {"replicas": 1}, False),
    ],
)
def test_absent_and_zero_are_the_same(old: dict[str, Any], new: dict[str, Any], same: bool) -> None:
    assert same_status(ReplicaSet({"status": old}), new) is same


def test_only_a_difference_is_written() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        status = {"replicas": 1, "readyReplicas": 1}
        meta = {"name": "a", "namespace": "ns"}
        view = ReplicaSet(api.add("apps/v1", "ReplicaSet", {"metadata": meta, "status": status}))
        client = api.client()
        assert await update_status(client, ReplicaSet, view, {"replicas": 1, "readyReplicas": 1}) is view
        assert api.calls == []
        changed = await update_status(client, ReplicaSet, view, {"replicas": 1, "availableReplicas": 0})
        assert changed.status.raw == {"replicas": 1, "availableReplicas": 0}

    run(main)
