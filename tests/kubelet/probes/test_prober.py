"""Probes of pods on a node with a fake runtime, in virtual time. Timing is upstream's, but for its random phase:
there a container is probed at some moment within its first period, here at the end of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import HTTPGetAction, Pod
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState, ExecResult, Sandbox
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.kubelet.probes.prober import Probes
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import Behaviour, FakeCri


@dataclass
class Web:
    """The application, asked by HTTP: each path has its status."""

    clock: Clock
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    async def fetch(self, action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
        self.asked.append((action.path, round(self.clock.now() - loop.EPOCH, 1)))
        self.addresses.append(f"{host}:{port}")
        return self.statuses.get(action.path, 200), ""

    def times(self, path: str, since: float = 0.0) -> list[float]:
        """When this path was asked for, in seconds after `since`."""
        return [round(at - since, 1) for asked, at in self.asked if asked == path]


def _get(path: str, **more: Any) -> JsonObject:
    http = {"httpGet": {"path": path, "port": 80, "scheme": "HTTP"}}
    return {**http, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, **more}


def _app(**probes: JsonObject) -> JsonObject:
    return {"name": "app", "image": "app:1", **probes}


def _run(root: Path, story: Callable[[FakeNode, Web], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Tasks() as tasks:
            node = FakeNode(root, clock, tasks)
            app = Web(clock)
            node.watcher = Probes(node.runtime, clock, chance, node.told, app.fetch, tasks, ("10.0.0.1",))
            await story(node, app)

    loop.run(main)


def _now(node: FakeNode) -> float:
    return node.clock.now() - loop.EPOCH


async def _started_at(node: FakeNode, attempt: int = 0) -> float:
    """When this run of the container began."""
    await node.until(lambda: node.cri.calls.count("start_container app") > attempt)
    run = next(one for one in await node.cri.containers() if one.attempt == attempt)
    return (await node.cri.container_status(run.id)).started_at - loop.EPOCH


def test_a_container_that_fails_its_liveness_probe_is_restarted(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        app.statuses["/live"] = 500
        node.add(pod(containers=[_app(livenessProbe=_get("/live", terminationGracePeriodSeconds=7))]))
        began = await _started_at(node)
        await node.until(lambda: node.state()["ready"])
        await node.until(lambda: node.state()["restartCount"] == 1)
        assert app.times("/live", began) == [10, 20, 30]
        assert node.told.events.count(
            ("Warning", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")
        ) == 3  # fmt: skip
        killing = ("Normal", "Killing", "Container app failed liveness probe, will be restarted")
        assert killing in node.told.events
        assert "stop_container app 7" in node.cri.calls
        app.statuses.clear()
        again = await _started_at(node, 1)
        await node.clock.sleep(25)
        assert app.times("/live", again)[3:] == [10, 20]
        assert node.state()["restartCount"] == 1

    _run(tmp_path, story)


def test_readiness_comes_and_goes(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.add(pod(containers=[_app(readinessProbe=_get("/ready"))]))
        began = await _started_at(node)
        await node.until(lambda: node.state()["ready"])
        assert _now(node) - began < 1
        assert node.condition("Ready") == "True"
        await node.clock.sleep(12)
        app.statuses["/ready"] = 503
        failing_since = _now(node)
        await node.until(lambda: not node.state()["ready"])
        assert 20 < _now(node) - failing_since < 30
        assert node.condition("Ready") == "False"
        app.statuses.clear()
        await node.until(lambda: node.state()["ready"])
        assert node.state()["restartCount"] == 0
        assert ("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503") in (
            node.told.events
        )

    _run(tmp_path, story)


def test_a_container_that_is_not_ready_is_asked_whenever_its_pod_is_looked_at(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        app.statuses["/ready"] = 503
        node.add(pod(containers=[_app(readinessProbe=_get("/ready", periodSeconds=40))]))
        await _started_at(node)
        await node.clock.sleep(3)
        app.statuses.clear()
        node.workers.poke_all()
        await node.until(lambda: node.state()["ready"], seconds=0.5)
        count, asked_at = len(app.asked), app.asked[-1][1]
        node.workers.poke_all()
        await node.clock.sleep(1)
        assert len(app.asked) == count
        await node.until(lambda: len(app.asked) > count)
        assert app.asked[-1][1] - asked_at == 40

    _run(tmp_path, story)


def test_the_startup_probe_holds_the_others_back(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        app.statuses["/startup"] = 500
        probes = {
            "startupProbe": _get("/startup", periodSeconds=5, failureThreshold=30),
            "readinessProbe": _get("/ready"),
            "livenessProbe": _get("/live", periodSeconds=3),
        }
        node.add(pod(containers=[_app(**probes)]))
        began = await _started_at(node)
        await node.clock.sleep(12)
        assert (node.state()["started"], node.state()["ready"]) == (False, False)
        app.statuses.clear()
        await node.until(lambda: node.state()["ready"])
        assert node.state()["started"]
        await node.clock.sleep(10)
        assert app.times("/startup", began) == [5, 10, 15]
        assert app.times("/ready", began)[0] == 15
        assert app.times("/live", began)[0] in (15, 18)

    _run(tmp_path, story)


def test_a_container_that_does_not_start_is_restarted(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        app.statuses["/startup"] = 500
        node.add(pod(containers=[_app(startupProbe=_get("/startup", failureThreshold=2))]))
        began = await _started_at(node)
        await node.until(lambda: node.state()["restartCount"] == 1)
        assert app.times("/startup", began) == [10, 20]
        assert ("Normal", "Killing", "Container app failed startup probe, will be restarted") in node.told.events

    _run(tmp_path, story)


@pytest.mark.parametrize(("delay", "first"), [(0, 10), (7, 10), (10, 10), (11, 20)])
def test_the_initial_delay(tmp_path: Path, delay: int, first: int) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.add(pod(containers=[_app(livenessProbe=_get("/live", initialDelaySeconds=delay))]))
        began = await _started_at(node)
        await node.until(lambda: bool(app.asked))
        assert app.times("/live", began) == [first]

    _run(tmp_path, story)


def test_readiness_waits_for_its_delay(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.add(pod(containers=[_app(readinessProbe=_get("/ready", initialDelaySeconds=15))]))
        began = await _started_at(node)
        await node.until(lambda: node.state()["ready"])
        assert 15 <= app.times("/ready", began)[0] <= 25

    _run(tmp_path, story)


def test_a_sidecar_is_probed_and_holds_the_pod_back(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        sidecar = {"name": "proxy", "image": "app:1", "restartPolicy": "Always", "startupProbe": _get("/up"),
                   "readinessProbe": _get("/ready"), "terminationMessagePath": "/m"}  # fmt: skip
        node.add(pod(initContainers=[sidecar]))
        await node.clock.sleep(5)
        assert "start_container app" not in node.cri.calls
        await node.until(lambda: node.state(container="proxy")["ready"])
        await node.until(lambda: node.condition("Ready") == "True")
        app.statuses["/ready"] = 500
        await node.until(lambda: node.condition("Ready") == "False")

    _run(tmp_path, story)


def test_a_pod_that_ends_is_still_asked_whether_it_is_ready(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        probes = {"readinessProbe": _get("/ready", failureThreshold=1), "livenessProbe": _get("/live")}
        node.add(pod(terminationGracePeriodSeconds=60, containers=[_app(**probes)]))
        await node.until(lambda: node.state()["ready"])
        node.delete_pod("web", grace=60)
        deleted = _now(node)
        app.statuses |= {"/ready": 503, "/live": 500}
        await node.until(lambda: not node.state()["ready"])
        assert "running" in node.state()["state"]
        assert _now(node) - deleted < 11
        asked = len(app.times("/ready"))
        app.statuses.clear()
        await node.until(lambda: node.state()["ready"])
        await node.until(lambda: "web" not in node.pods)
        assert len(app.times("/ready")) >= asked + 4
        assert app.times("/live") == []
        count = len(app.asked)
        await node.clock.sleep(30)
        assert len(app.asked) == count

    _run(tmp_path, story)


def test_a_container_that_ended_is_not_probed(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.cri.behaviour = lambda _: Behaviour(ends_after=25)
        probes = {"readinessProbe": _get("/ready"), "livenessProbe": _get("/live")}
        node.add(pod(restartPolicy="Never", containers=[_app(**probes)]))
        await node.until(lambda: node.pods["web"].status.phase == "Succeeded")
        count = len(app.asked)
        await node.clock.sleep(60)
        assert len(app.asked) == count
        assert app.times("/live") != []

    _run(tmp_path, story)


def test_a_command_that_cannot_be_run_counts_for_nothing(tmp_path: Path) -> None:
    async def story(node: FakeNode, app: Web) -> None:
        node.cri.exec_results[("check",)] = ExecResult(1, b"not yet")
        probe = _get("/") | {"httpGet": None, "exec": {"command": ["check"]}, "failureThreshold": 1}
        node.add(pod(containers=[_app(readinessProbe=probe)]))
        await _started_at(node)
        await node.clock.sleep(1)
        assert ("Warning", "Unhealthy", "Readiness probe failed: not yet") in node.told.events
        node.cri.exec_results[("check",)] = ExecResult(0)
        await node.until(lambda: node.state()["ready"])

    _run(tmp_path, story)


class Recording(FakeNode):
    """Remembers how ready the container was each time its status was written."""

    def __init__(self, root: Path, clock: Clock, tasks: Tasks, runtime: FakeCri) -> None:
        super().__init__(root, clock, tasks, cri=runtime)
        self.ready: list[bool] = []

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        written = await super().patch_status(pod, patch)
        self.ready.append(self.state()["ready"])
        return written


def test_a_kubelet_that_restarts_keeps_what_was_found(tmp_path: Path) -> None:
    """KEP-4781: what was ready stays so until the probe fails; and one that had started is not asked again."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        app = Web(clock)
        probes = {"startupProbe": _get("/startup"), "readinessProbe": _get("/ready")}
        async with Tasks() as tasks:
            node = FakeNode(tmp_path, clock, tasks)
            node.watcher = Probes(node.runtime, clock, chance, node.told, app.fetch, tasks)
            node.add(pod(containers=[_app(**probes)]))
            await node.until(lambda: node.state()["ready"])
            await clock.sleep(20)
            known = node.pods["web"].literal()
        asked = len(app.times("/startup"))
        async with Tasks() as tasks:
            again = Recording(tmp_path, clock, tasks, node.cri)
            app.statuses["/ready"] = 503
            again.watcher = Probes(again.runtime, clock, chance, again.told, app.fetch, tasks)
            again.add(known)
            began = clock.now()
            await again.until(lambda: not again.state()["ready"])
            assert clock.now() - began > 20
            assert again.ready.count(False) == 1
            assert len(app.times("/startup")) == asked

    loop.run(main)


def _observed(names: list[str], state: ContainerState = ContainerState.RUNNING, *, since: float) -> ObservedPod:
    sandbox = Sandbox("s", "web", "default", "uid-web", 0, True, since, ("10.88.0.9",))
    runs = (cri.Container(f"run-{name}", "s", name, 0, state, since, started_at=since) for name in names)
    return ObservedPod((sandbox,), tuple(runs))


def test_a_node_full_of_containers_is_not_probed_at_once() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        app = Web(clock)
        names = [f"c{number}" for number in range(20)]
        containers = [{"name": name, "image": "app:1", "livenessProbe": _get(f"/{name}")} for name in names]
        async with Tasks() as tasks:
            probes = Probes(FakeCri(clock), clock, chance, FakeRecorder(), app.fetch, tasks)
            observed = _observed(names, since=clock.now() - 500)
            probes.attend(Pod(pod(containers=containers)), observed, lambda: None)
            await clock.sleep(30)
            firsts = [app.times(f"/{name}")[0] for name in names]
            assert len(set(firsts)) > 10
            assert max(firsts) - min(firsts) > 5
            assert max(firsts) <= 10
            assert [round(app.times(f"/{name}")[1] - first, 1) for name, first in zip(names, firsts, strict=True)] == [
                10
            ] * 20

    loop.run(main)


class FakeRecorder:
    """Hears nothing."""

    def event(self, about: object, kind: str, reason: str, message: str, notes: object = None, /) -> None:
        return None


def test_what_is_probed_and_where() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        app = Web(clock)
        changes: list[str] = []
        async with Tasks() as tasks:
            probes = Probes(FakeCri(clock), clock, chance, FakeRecorder(), app.fetch, tasks, ("10.0.0.1",))
            manifest = pod(containers=[_app(livenessProbe=_get("/live"), readinessProbe=_get("/ready")), {"name": "b"}])
            observed = _observed(["app", "b"], since=clock.now())
            assert probes.health("uid-web") == {}
            probes.attend(Pod(manifest), observed, lambda: changes.append("one"))
            assert probes.health("uid-web") == {"run-app": Health(ready=False, live=True)}
            await clock.sleep(1)
            assert probes.health("uid-web") == {"run-app": Health(ready=True, live=True)}
            assert (changes, app.addresses) == (["one"], ["10.88.0.9:80"])
            on_host = Pod(manifest | {"spec": manifest["spec"] | {"hostNetwork": True}})
            probes.attend(on_host, observed, lambda: None)
            await clock.sleep(10)
            assert app.addresses[1:] == ["10.0.0.1:80"] * 2
            probes.attend(on_host, _observed(["app"], ContainerState.EXITED, since=0.0), lambda: None)
            assert probes.health("uid-web") == {}
            probes.attend(on_host, observed, lambda: None)
            probes.forget("uid-web")
            assert probes.health("uid-web") == {}
            count = len(app.asked)
            await clock.sleep(60)
            assert len(app.asked) == count

    loop.run(main)


def test_a_pod_being_ended_is_told_of_by_another() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        app = Web(clock, {"/live": 500})
        changes: list[str] = []
        async with Tasks() as tasks:
            probes = Probes(FakeCri(clock), clock, chance, FakeRecorder(), app.fetch, tasks)
            manifest = pod(containers=[_app(livenessProbe=_get("/live"), readinessProbe=_get("/ready"))])
            probes.attend(Pod(manifest), _observed(["app"], since=clock.now()), lambda: changes.append("worker"))
            await clock.sleep(5)
            probes.retire("uid-web", lambda: changes.append("end"))
            app.statuses["/ready"] = 500
            await clock.sleep(60)
            assert (changes, app.times("/live")) == (["worker", "end"], [])
            assert probes.health("uid-web") == {"run-app": Health(ready=False, live=True)}
            probes.forget("uid-web")

    loop.run(main)
