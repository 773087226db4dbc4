"""Images that are wanted, and pulls, under upstream's names."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.counts.image_counts import size_label


@pytest.mark.parametrize(("size", "label"), [
    (0, "N/A"), (1, "0-10MB"), (10 << 20, "0-10MB"), ((10 << 20) + 1, "10MB-100MB"), (600 << 20, "500MB-1GB"),
    (1 << 30, "500MB-1GB"), (100 << 30, "60GB-100GB"), (101 << 30, "GT100GB"),
])  # fmt: skip
def test_sizes(size: int, label: str) -> None:
    assert size_label(size) == label


def test_what_is_wanted_and_what_is_pulled(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.absent.add("none:1")
        for name, image, policy in (
            ("here", "app:1", "IfNotPresent"), ("never", "none:1", "Never"), ("new", "new:1", "IfNotPresent"),
            ("always", "app:1", "Always"),
        ):  # fmt: skip
            node.add(pod(name, containers=[{"name": "app", "image": image, "imagePullPolicy": policy}]))
        await node.until(lambda: node.pods["always"].status.phase == node.pods["new"].status.phase == "Running")

        def wanted(policy: str, present: str, pull: str) -> float:
            labels = {"pull_policy": policy, "present_locally": present, "pull_required": pull}
            return node.counted("image_manager_ensure_image_requests_total", **labels)

        assert wanted("ifnotpresent", "true", "false") == 1
        assert wanted("ifnotpresent", "false", "true") == 1
        assert wanted("always", "true", "true") == 1
        assert wanted("never", "false", "false") >= 1
        pulls = [node.counted("image_pull_duration_seconds_count", image_size_in_bytes=size_label(size))
                 for size in (0, 1)]  # fmt: skip
        assert sum(pulls) == 2

    run(tmp_path, story)
