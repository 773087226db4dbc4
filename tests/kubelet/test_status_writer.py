"""The newest status of a pod, for those who ask the node itself."""

from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.status_writer import StatusWriter
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
