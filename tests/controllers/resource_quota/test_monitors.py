"""What the quota controller knows of the objects that quotas count."""

from collections.abc import Awaitable, Callable

from pilothouse.api.catalogue import builtin
from pilothouse.api.core.resource_quota.evaluator import Evaluator
from pilothouse.api.core.resource_quota.usage import evaluator_of
from pilothouse.api.machinery.view import View
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.core_v1 import ConfigMap, Node, Pod
from pilothouse.client.client import Page
from pilothouse.client.discovery import PartialObjectMetadata
from pilothouse.client.informer import Informers
from pilothouse.controllers.resource_quota.monitors import Copied, Monitors, Numbered, is_countable
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

CONFIG_MAPS = builtin().of(ConfigMap)
SPEC = {"hard": {"configmaps": "9"}}


def story(told: Callable[[Cluster, Informers, Monitors, list[str]], Awaitable[None]]) -> None:
    """The last argument is what the monitors tell: which object has gone or changed."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        heard: list[str] = []

        def changed(evaluator: Evaluator, old: View | None, new: View | None) -> None:
            if old is not None:
                heard.append(f"{evaluator.plural} {old.metadata.name} {'gone' if new is None else 'changed'}")

        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            informers = Informers(cluster.client(), clock, tasks)
            await told(cluster, informers, Monitors(informers, changed), heard)

    run(main)


def manifest(name: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "default"}}


def used(monitor: Copied | Numbered, namespace: str = "default") -> str:
    return str(monitor.used(SPEC, namespace, 0)["configmaps"])


def test_names_are_enough() -> None:
    async def told(cluster: Cluster, informers: Informers, monitors: Monitors, heard: list[str]) -> None:
        client = cluster.client()
        await client.create(ConfigMap, manifest("a"))
        monitor = monitors.of(evaluator_of("", "configmaps"), CONFIG_MAPS)
        assert isinstance(monitor, Numbered)
        await monitor.synced()
        await client.create(ConfigMap, manifest("b"))
        await client.update(ConfigMap, {**manifest("a"), "data": {"k": "v"}})
        await cluster.clock.sleep(1)
        assert (used(monitor), used(monitor, "other")) == ("2", "0")
        await client.delete(ConfigMap, "a", "default")
        await cluster.clock.sleep(1)
        assert (used(monitor), heard) == ("1", ["configmaps a gone"])

    story(told)


def test_what_went_unseen_is_told_when_all_is_listed_again() -> None:
    async def told(cluster: Cluster, informers: Informers, monitors: Monitors, heard: list[str]) -> None:
        monitor = monitors.of(evaluator_of("", "configmaps"), CONFIG_MAPS)
        assert isinstance(monitor, Numbered)
        await monitor.synced()
        views = [PartialObjectMetadata(manifest(name)) for name in "abc"]
        monitor.replace(Page(tuple(views), "1"))
        monitor.replace(Page(tuple(views[:1]), "2"))
        assert (used(monitor), heard) == ("1", ["configmaps b gone", "configmaps c gone"])

    story(told)


def test_a_copy_that_is_there_is_shared() -> None:
    async def told(cluster: Cluster, informers: Informers, monitors: Monitors, heard: list[str]) -> None:
        informers.of(ConfigMap)
        monitor = monitors.of(evaluator_of("", "configmaps"), CONFIG_MAPS)
        assert isinstance(monitor, Copied)
        await monitor.synced()
        client = cluster.client()
        await client.create(ConfigMap, manifest("a"))
        await client.update(ConfigMap, {**manifest("a"), "data": {"k": "v"}})
        await cluster.clock.sleep(1)
        assert (used(monitor), heard) == ("1", ["configmaps a changed"])
        monitors.keep([])
        await client.delete(ConfigMap, "a", "default")
        await cluster.clock.sleep(1)
        assert heard == ["configmaps a changed"]

    story(told)


def test_pods_are_copied_and_one_monitor_serves_all() -> None:
    async def told(cluster: Cluster, informers: Informers, monitors: Monitors, heard: list[str]) -> None:
        pods = evaluator_of("", "pods")
        monitor = monitors.of(pods, builtin().of(Pod))
        assert isinstance(monitor, Copied)
        assert monitors.of(pods, builtin().of(Pod)) is monitor
        assert monitors.kinds == [("", "pods")]

    story(told)


def test_which_kinds_can_be_counted() -> None:
    assert is_countable(builtin().of(Deployment))
    assert not is_countable(builtin().of(Node))
