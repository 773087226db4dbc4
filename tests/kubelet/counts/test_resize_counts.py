"""Resizes as pkg/kubelet/allocation counts them."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, run
from kubelet.resizing import conditions, resize, resources, settled, sized, started
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container
from pilothouse.kubelet.counts.resize_counts import changes


@pytest.mark.parametrize(("old", "new", "expected"), [
    (resources("1", "1Gi"), resources("1000m", "1024Mi"), []),
    (resources("1"), resources("2"), [("cpu", "requests", "increase")]),
    (resources("2", "", "3"), resources("1", "", "3"), [("cpu", "requests", "decrease")]),
    (resources(), resources("", "1Gi", "", "2Gi"), [("memory", "limits", "add"), ("memory", "requests", "add")]),
    (resources("1", "", "1"), resources("1"), [("cpu", "limits", "remove")]),
])  # fmt: skip
def test_what_changes(old: JsonObject, new: JsonObject, expected: list[tuple[str, str, str]]) -> None:
    assert changes(Container({"name": "a", "resources": new}), Container({"name": "a", "resources": old})) == expected


def test_what_is_granted_at_once_is_counted_and_timed(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=resources("100m")))
        resize(node, app=resources("200m"))
        await settled(node)
        labels = {"resource": "cpu", "requirement": "requests", "operation": "increase"}
        assert node.counted("container_requested_resizes_total", **labels) == 1
        assert node.counted("pod_resize_duration_milliseconds_count", success="true") >= 1
        assert node.counted("pod_resize_duration_milliseconds_count", success="false") == 0

    run(tmp_path, story)


def test_what_never_fits_is_counted_once(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=resources("100m")))
        resize(node, app=resources("100"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        await node.clock.sleep(400)
        assert node.counted("pod_infeasible_resizes_total", reason_detail="insufficient_node_allocatable") == 1

    run(tmp_path, story)


def test_a_static_pod_is_not_resized(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        manifest = sized(app=resources("100m"))
        manifest["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
        await started(node, manifest)
        resize(node, app=resources("200m"))
        await node.until(lambda: node.counted("pod_infeasible_resizes_total", reason_detail="static_pod") == 1)

    run(tmp_path, story)


@pytest.mark.parametrize("trigger", ["pods_removed", "pod_resized", "periodic_retry"])
def test_what_had_to_wait_is_counted_with_what_made_room(tmp_path: Path, trigger: str) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=resources("1")))
        await started(node, sized("other", app=resources("800m")))
        resize(node, app=resources("1900m"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        match trigger:
            case "pods_removed":
                node.delete_pod("other", 0)
            case "pod_resized":
                resize(node, "other", app=resources("50m"))
            case _:
                node.own.change(allocatable={"cpu": "4"})
        await settled(node)
        assert node.counted("pod_deferred_accepted_resizes_total", retry_trigger=trigger) == 1

    run(tmp_path, story)
