"""What a fresh pod costs those who watch pods, by counts, which no noise of the machine disturbs."""

from collections.abc import Callable
from typing import Any

import pytest

from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.informer import Lister
from pilothouse.client.memo import Memo
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

REPLICAS = 40
LABELS = {"app": "web"}
SPEC = {"schedulerName": "nobody", "containers": [{"name": "c", "image": "example:1"}]}
DEPLOYMENT = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": REPLICAS,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": SPEC},
    },
}
ORPHAN = {"metadata": {"name": "orphan", "namespace": "default"}, "spec": SPEC}


def test_a_pod_is_decoded_once_for_its_maker_the_manager_and_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        decoded: list[str] = []
        view = Memo.view

        def counted(memo: Memo, resource: Any, found: Any) -> Any:
            if resource.kind is Pod:
                decoded.append(found["metadata"]["name"])
            return view(memo, resource, found)

        async with Cluster(clock, chance, manager=ControllersConfig(), scheduler=SchedulerConfig()) as cluster:
            monkeypatch.setattr(Memo, "view", counted)
            await cluster.client().create(Deployment, DEPLOYMENT)
            await clock.sleep(10)
        return decoded

    decoded = run(main)
    assert len(decoded) == REPLICAS
    assert len({*decoded}) == REPLICAS


def test_no_controller_looks_at_all_pods_because_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(clock: LoopClock, chance: Chance) -> int:
        looked_at: list[Pod] = []

        def counted(function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
            def call(*arguments: Any) -> list[Any]:
                found = function(*arguments)
                looked_at.extend([one for one in found if isinstance(one, Pod)])
                return found

            return call

        async with Cluster(clock, chance, manager=ControllersConfig(), scheduler=SchedulerConfig()) as cluster:
            client = cluster.client()
            await client.create(Deployment, DEPLOYMENT)
            await clock.sleep(30)
            for name in ("list", "by_index"):
                monkeypatch.setattr(Lister, name, counted(getattr(Lister, name)))
            await client.create(Pod, ORPHAN)
            await clock.sleep(5)
            return len(looked_at)

    assert run(main) == 0
