"""The newest status of a pod, for those who ask the node itself, and what is written of it."""

from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.status_writer import StatusWriter, status_patch
from pilothouse.testing import loop


class Nowhere:
    """An API server that takes nothing."""

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        raise AssertionError("nothing is written here")

    async def delete(self, pod: Pod) -> None:
        raise AssertionError("nothing is deleted here")


def test_what_was_put_is_known_before_it_is_written() -> None:
    async def main(clock: Any, _: object) -> None:
        writer = StatusWriter(Nowhere(), clock)
        gate, ready = {"type": "gate", "status": "True"}, {"type": "Ready", "status": "False"}
        pod = Pod(
            {
                "metadata": {"name": "web", "uid": "u"},
                "status": {"phase": "Pending", "qosClass": "BestEffort", "conditions": [gate, ready]},
            }
        )
        assert writer.newest(pod) == pod
        writer.put(pod, {"phase": "Running", "conditions": [{**ready, "status": "True"}]})
        assert writer.newest(pod).status.raw == {
            "phase": "Running", "qosClass": "BestEffort", "conditions": [gate, {**ready, "status": "True"}],
        }  # fmt: skip
        writer.forget("u")
        assert writer.newest(pod) == pod

    loop.run(main)


def test_conditions_of_a_resize_are_taken_away_when_they_are_over() -> None:
    """Others that nobody speaks of any more stay: they may be somebody else's."""

    def condition(kind: str, status: str = "True") -> JsonObject:
        return {"type": kind, "status": status}

    gone = [condition("PodResizeInProgress"), condition("PodResizePending"), condition("gate")]
    new = {"conditions": [condition("Ready")]}
    assert status_patch({"conditions": [*gone, condition("Ready", "False")]}, new) == {
        "conditions": [
            condition("Ready"),
            {"$patch": "delete", "type": "PodResizePending"},
            {"$patch": "delete", "type": "PodResizeInProgress"},
        ]
    }
    assert status_patch({"conditions": [condition("Ready"), condition("PodResizePending")]}, new) == {
        "conditions": [{"$patch": "delete", "type": "PodResizePending"}]
    }
    assert status_patch({"conditions": [condition("Ready"), condition("gate")]}, new) == {}


def test_what_is_no_longer_told_goes() -> None:
    """A patch is merged into conditions of the same type, and into the pod's resources: what it leaves out stays."""
    waiting = {
        "type": "Ready",
        "status": "False",
        "lastProbeTime": None,
        "reason": "ContainersNotReady",
        "message": "m",
    }
    ready = {"type": "Ready", "status": "True", "lastProbeTime": None}
    old = {"conditions": [waiting], "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}}}
    new = {"conditions": [ready], "resources": {"limits": {"cpu": "1"}}}
    assert status_patch(old, new) == {
        "conditions": [{"type": "Ready", "status": "True", "reason": None, "message": None}],
        "resources": {"limits": {"memory": None}, "requests": None},
    }
    assert status_patch(new, new) == {}
