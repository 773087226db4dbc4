from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.controllers.deployment import DeploymentController
from pilothouse.controllers.deployment.revisions import HISTORY, REVISION
from pilothouse.controllers.replicaset import ReplicaSetController
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, format_time
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

Object = dict[str, Any]
Scene = Callable[["Stage"], Awaitable[None]]


def _template(image: str) -> Object:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def _deployment(**spec: Any) -> Object:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "metadata": {"name": "web", "namespace": "ns", "annotations": {"team": "blue"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "strategy": rolling,
                 "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, "template": _template("one"), **spec},
    }  # fmt: skip


class Stage:
    """A fake API with the two controllers, and a kubelet that makes each pod ready after three seconds."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.api = FakeApi(clock)
        self.sick = ""
        self.least, self.most = 999, 0

    async def kubelet(self) -> None:
        while True:
            await self.clock.sleep(1)
            pods = [pod for pod in self.api.of("pods") if not pod["metadata"].get("deletionTimestamp")]
            for pod in pods:
                age = pod.get("age", 0) + 1
                change: Object = {"age": age, "status": {"phase": "Running"}}
                if age == 3 and pod["spec"]["containers"][0]["image"] != self.sick:
                    stamp = format_time(self.clock.now())
                    change["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp}]
                if age <= 3:
                    self.api.put("pods", "ns", pod["metadata"]["name"], change)
            self.least = min(self.least, sum(bool((pod.get("status") or {}).get("conditions")) for pod in pods))
            self.most = max(self.most, len(pods))

    @property
    def deployment(self) -> Object:
        return self.api.get("deployments", "ns", "web")

    def images(self) -> list[str]:
        return sorted(pod["spec"]["containers"][0]["image"] for pod in self.api.of("pods"))

    def condition(self, kind: str) -> tuple[str, str, str]:
        (found,) = [each for each in self.deployment["status"]["conditions"] if each["type"] == kind]
        return found["status"], found["reason"], found["message"]

    def set_of(self, image: str) -> Object:
        (found,) = [
            each for each in self.api.of("replicasets")
            if each["spec"]["template"]["spec"]["containers"][0]["image"] == image
        ]  # fmt: skip
        return found

    def change(self, **spec: Any) -> None:
        generation = self.deployment["metadata"]["generation"] + 1
        self.api.put("deployments", "ns", "web", {"metadata": {"generation": generation}, "spec": spec})

    def words(self, reason: str = "ScalingReplicaSet") -> list[str]:
        return [event["message"] for event in self.api.of("events") if event["reason"] == reason]


def _play(scene: Scene, *, before: Callable[[FakeApi], object] = lambda _: None, **spec: Any) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        stage = Stage(clock)
        stage.api.add("apps/v1", "Deployment", _deployment(**spec))
        before(stage.api)
        async with Tasks() as tasks:
            run_all([DeploymentController, ReplicaSetController], stage.api.client, clock, chance, tasks)
            tasks.spawn(stage.kubelet(), name="kubelet")
            await clock.sleep(15)
            await scene(stage)

    run(main)


def test_a_deployment_comes_up() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.images() == ["one"] * 3
        status = stage.deployment["status"]
        assert {name: value for name, value in status.items() if name != "conditions"} == {
            "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
            "unavailableReplicas": 0, "terminatingReplicas": 0,
        }  # fmt: skip
        (replica_set,) = stage.api.of("replicasets")
        name = replica_set["metadata"]["name"]
        digest = name.removeprefix("web-")
        assert set(digest) <= set("bcdfghjklmnpqrstvwxz2456789")
        assert replica_set["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
        assert replica_set["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
        assert replica_set["metadata"]["annotations"] == {
            "team": "blue", REVISION: "1", "deployment.kubernetes.io/desired-replicas": "3",
            "deployment.kubernetes.io/max-replicas": "4",
        }  # fmt: skip
        assert stage.deployment["metadata"]["annotations"] == {"team": "blue", REVISION: "1"}
        assert stage.condition("Available") == (
            "True", "MinimumReplicasAvailable", "Deployment has minimum availability.",
        )  # fmt: skip
        assert stage.condition("Progressing") == (
            "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.',
        )  # fmt: skip
        assert stage.words() == [f"Scaled up replica set {name} from 0 to 3"]
        calls = len(stage.api.calls)
        await stage.clock.sleep(3000)
        assert len(stage.api.calls) == calls

    _play(scene)


def test_a_rolling_update_and_back() -> None:
    async def scene(stage: Stage) -> None:
        stage.least, stage.most = 999, 0
        stage.change(template=_template("two"))
        await stage.clock.sleep(40)
        assert stage.images() == ["two"] * 3
        assert (stage.least, stage.most) == (3, 4)
        assert stage.deployment["metadata"]["annotations"][REVISION] == "2"
        assert stage.deployment["status"]["observedGeneration"] == 2
        assert stage.set_of("one")["spec"]["replicas"] == 0
        stage.change(template=_template("one"))
        await stage.clock.sleep(40)
        assert stage.images() == ["one"] * 3
        assert len(stage.api.of("replicasets")) == 2
        annotations = stage.set_of("one")["metadata"]["annotations"]
        assert (annotations[REVISION], annotations[HISTORY]) == ("3", "1")
        assert stage.condition("Progressing")[1] == "NewReplicaSetAvailable"

    _play(scene)


def test_recreate_waits_until_the_old_ones_are_gone() -> None:
    async def scene(stage: Stage) -> None:
        for pod in stage.api.of("pods"):
            stage.api.put("pods", "ns", pod["metadata"]["name"], {"spec": {"nodeName": "n"}})
        old = [pod["metadata"]["name"] for pod in stage.api.of("pods")]
        stage.change(template=_template("two"))
        await stage.clock.sleep(30)
        assert stage.images() == ["one"] * 3
        for name in old:
            stage.api.remove("pods", "ns", name)
        await stage.clock.sleep(10)
        assert stage.images() == ["two"] * 3

    _play(scene, strategy={"type": "Recreate"})


def test_what_does_not_get_on_is_reported_in_time() -> None:
    async def scene(stage: Stage) -> None:
        stage.sick = "two"
        stage.change(template=_template("two"))
        await stage.clock.sleep(30)
        assert stage.images() == ["one"] * 3 + ["two"]
        assert stage.condition("Progressing")[1] == "ReplicaSetUpdated"
        await stage.clock.sleep(100)
        name = stage.set_of("two")["metadata"]["name"]
        assert stage.condition("Progressing") == (
            "False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.',
        )  # fmt: skip
        stage.change(template=_template("one"))
        await stage.clock.sleep(30)
        assert stage.images() == ["one"] * 3
        assert stage.condition("Progressing")[1] == "NewReplicaSetAvailable"

    _play(scene, progressDeadlineSeconds=60)


def test_paused_it_scales_and_does_not_roll() -> None:
    async def scene(stage: Stage) -> None:
        stage.change(paused=True, template=_template("two"), replicas=5)
        await stage.clock.sleep(20)
        assert stage.images() == ["one"] * 5
        assert stage.condition("Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
        stage.change(paused=False)
        await stage.clock.sleep(60)
        assert stage.images() == ["two"] * 5

    _play(scene)


def test_history_is_kept_to_its_limit() -> None:
    async def scene(stage: Stage) -> None:
        for image in ("two", "three", "four"):
            stage.change(template=_template(image))
            await stage.clock.sleep(40)
        assert len(stage.api.of("replicasets")) == 2
        assert stage.set_of("three")
        assert stage.set_of("four")["metadata"]["annotations"][REVISION] == "4"

    _play(scene, revisionHistoryLimit=1)


def test_scaling_reaches_the_set() -> None:
    async def scene(stage: Stage) -> None:
        stage.change(replicas=5)
        await stage.clock.sleep(10)
        assert stage.images() == ["one"] * 5
        name = stage.set_of("one")["metadata"]["name"]
        assert stage.words()[-1] == f"Scaled up replica set {name} from 3 to 5"
        stage.change(replicas=0)
        await stage.clock.sleep(10)
        assert stage.images() == []
        assert stage.words()[-1] == f"Scaled down replica set {name} from 5 to 0"

    _play(scene)


def test_a_set_of_its_template_is_adopted() -> None:
    def before(api: FakeApi) -> None:
        labels = {"app": "web", "pod-template-hash": "x"}
        template = _template("one")
        template["metadata"] = {"labels": labels, "creationTimestamp": None}
        api.add("apps/v1", "ReplicaSet", {
            "metadata": {"name": "stray", "namespace": "ns", "labels": labels},
            "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}})  # fmt: skip

    async def scene(stage: Stage) -> None:
        (found,) = stage.api.of("replicasets")
        assert found["metadata"]["ownerReferences"][0]["name"] == "web"
        assert found["metadata"]["annotations"][REVISION] == "1"
        assert stage.images() == ["one"] * 3

    _play(scene, before=before)


def test_a_collision_of_hashes_takes_another_name() -> None:
    async def scene(stage: Stage) -> None:
        name = stage.set_of("one")["metadata"]["name"]
        alien = {**stage.set_of("one"), "metadata": {"name": name, "namespace": "ns"}}
        alien["spec"] = {"replicas": 0, "selector": {"matchLabels": {"app": "else"}}, "template": _template("else")}
        stage.api.remove("replicasets", "ns", name)
        alien.pop("status")
        stage.api.add("apps/v1", "ReplicaSet", alien)
        await stage.clock.sleep(30)
        assert stage.deployment["status"]["collisionCount"] == 1
        assert stage.set_of("one")["metadata"]["name"] != name

    _play(scene, replicas=0)


def test_a_refused_set_is_told_and_tried_again() -> None:
    refusing = True

    def fail(method: str, path: str) -> errors.StatusError | None:
        return errors.Forbidden("quota") if refusing and method == "POST" and "replicasets" in path else None

    async def scene(stage: Stage) -> None:
        nonlocal refusing
        status, reason, message = stage.condition("Progressing")
        assert (status, reason) == ("False", "ReplicaSetCreateError")
        assert message.startswith('Failed to create new replica set "web-')
        assert message.endswith(": quota")
        assert stage.words("ReplicaSetCreateError")
        refusing = False
        await stage.clock.sleep(60)
        assert stage.images() == ["one"] * 3

    _play(scene, before=lambda api: setattr(api, "fail", fail))


@pytest.mark.parametrize("selector", [{}, {"matchLabels": {}}])
def test_who_selects_everything_gets_nothing(selector: Object) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.api.of("replicasets") == []
        assert stage.words("SelectingAll") == [
            "This deployment is selecting all pods. A non-empty selector is required."
        ]

    _play(scene, selector=selector)


@pytest.mark.parametrize("ended", [False, True], ids=["gone", "ended"])
def test_recreate_sees_by_itself_that_the_last_old_pod_is_gone(ended: bool) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        deployment = api.add("apps/v1", "Deployment", _deployment(strategy={"type": "Recreate"}))
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
        meta = {"name": "web-old", "namespace": "ns", "labels": {"app": "web"}}
        old = api.add("apps/v1", "ReplicaSet", {
            "metadata": {**meta, "ownerReferences": [{**owner, "uid": deployment["metadata"]["uid"]}]},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": _template("old")},
        })  # fmt: skip
        owner = {**owner, "kind": "ReplicaSet", "name": "web-old", "uid": old["metadata"]["uid"]}
        api.add("v1", "Pod", {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [owner]}})
        async with Tasks() as tasks:
            run_all([DeploymentController], api.client, clock, chance, tasks)
            await clock.sleep(10)
            assert len(api.of("replicasets")) == 1
            if ended:
                api.put("pods", "ns", "p", {"status": {"phase": "Succeeded"}})
            else:
                api.remove("pods", "ns", "p")
            await clock.sleep(1)
            assert len(api.of("replicasets")) == 2

    run(main)
