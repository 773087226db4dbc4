"""What is planned is done."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import lifecycle
from pilothouse.kubelet.observed import ObservedPod
from pilothouse.kubelet.pod_plan import PodPlan, Resize
from pilothouse.runtime.clock import Instant
from pilothouse.testing.fake_cri import Behaviour


def test_a_running_container_gets_other_limits_where_the_plan_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, resized = lifecycle.plan, list[str]()

    def plan(pod: Pod, observed: ObservedPod, now: Instant) -> PodPlan:
        decided, app = decide(pod, observed, now), observed.latest("app")
        if app is None or resized:
            return decided
        resized.append(app.id)
        return replace(decided, resize=(Resize(app.id, "app", {"cpu_quota": 70_000}),))

    monkeypatch.setattr(lifecycle, "plan", plan)

    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: bool(resized) and node.pods["web"].status.phase == "Running")
        await node.until(lambda: "update_resources app" in node.cri.calls)
        (app,) = await node.cri.containers("uid-web")
        told = (await node.cri.container_status(app.id)).resources
        assert told is not None
        assert told.cpu_quota == 70_000
        assert node.cri.calls.count("start_container app") == 1

    run(tmp_path, story)


def test_what_a_forgotten_run_wrote_is_removed(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _config: Behaviour(ends_after=1.0, exit_code=1)
        logs = node.layout.pod_logs("default", "web", "uid-web") / "app"
        logs.mkdir(parents=True, exist_ok=True)
        for attempt in range(6):
            (logs / f"{attempt}.log").touch()
            (logs / f"{attempt}.log.20260101-120000.gz").touch()
        node.add(pod())
        await node.until(lambda: node.state().get("restartCount") == 4)
        await node.clock.sleep(3)
        known = {str(run.attempt) for run in await node.cri.containers("uid-web")}
        assert known == {"3", "4"}
        assert {file.name[0] for file in logs.iterdir()} == known | {"5"}

    run(tmp_path, story)
