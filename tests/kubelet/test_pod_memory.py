"""What a change of the pod makes the worker forget, and do again."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.observed import Failure
from pilothouse.kubelet.pod_memory import PodMemory
from pilothouse.kubelet.pod_sync import RENEWAL

FIELD = {"fieldRef": {"fieldPath": "metadata.annotations['path']"}}
MOUNT = {"name": "work", "mountPath": "/work", "subPathExpr": "$(PLACE)"}
APP = {"name": "app", "image": "app:1", "env": [{"name": "PLACE", "valueFrom": FIELD}], "volumeMounts": [MOUNT]}


def test_a_container_that_cannot_be_made_is_tried_again_when_the_pod_changes(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        volumes = [{"name": "work", "emptyDir": {}}]
        node.add(pod(containers=[APP], volumes=volumes, metadata={"annotations": {"path": ".."}}))
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError")
        changed = node.pods["web"].literal()
        changed["metadata"]["annotations"] = {"path": "below"}
        node.add(changed)
        await node.until(lambda: node.pods["web"].status.phase == "Running", 1)

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("change", "retry_at"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, 5.0),
        ({"metadata": {"annotations": {"a": "b"}}}, 5.0),
        ({"spec": {"activeDeadlineSeconds": 9}}, 5.0),
        ({"metadata": {"resourceVersion": "2"}, "status": {"phase": "Running"}}, 10.0),
    ],
)
def test_our_own_reports_change_nothing(change: dict[str, dict[str, object]], retry_at: float) -> None:
    before = pod()
    memory = PodMemory(Pod(before))
    memory.failures["app"] = Failure("CreateContainerError", "no", 10.0)
    after = Pod(
        {key: value | change.get(key, {}) if isinstance(value, dict) else value for key, value in before.items()}
    )
    memory.renew_at = 10.0
    memory.hear(after, 5.0)
    assert memory.pod is after
    assert memory.renew_at == retry_at
    assert memory.failures == {"app": Failure("CreateContainerError", "no", retry_at)}


def test_volumes_are_set_up_once_in_a_start_and_again_when_there_is_news_or_a_minute_has_passed(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        def count() -> int:
            return node.objects.asked.count("a")

        node.objects.config_maps["a"] = {"data": {"a": "one"}}
        node.add(pod(volumes=[{"name": "v", "configMap": {"name": "a"}}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        await node.clock.sleep(5)
        assert count() == 1
        node.workers.poke_all()
        await node.clock.sleep(1)
        assert count() == 1
        node.workers.renew("uid-web")
        await node.clock.sleep(1)
        assert count() == 2
        changed = node.pods["web"].literal()
        changed["metadata"]["labels"] = {"a": "b"}
        node.add(changed)
        await node.clock.sleep(1)
        assert count() == 3
        await node.clock.sleep(RENEWAL)
        assert count() == 4

    run(tmp_path, story)
