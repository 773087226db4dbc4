"""What the node tells of the devices of drivers that are away goes, and nothing else does."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from pilothouse.api.machinery.errors import NotFound, StatusError, Unauthorized
from pilothouse.api.types.core_v1 import Node
from pilothouse.api.types.resource_v1 import ResourceSlice
from pilothouse.client.client import Client
from pilothouse.kubelet.dra.slices import DELAY, SliceWiper
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


class Api:
    """Remembers when which slices were to go; fails at first."""

    def __init__(self, clock: Any, *errors: StatusError | OSError) -> None:
        self._clock = clock
        self._errors = list(errors)
        self.wiped: list[tuple[float, str]] = []

    async def delete_collection(self, kind: object, *, fields: str) -> None:
        assert kind is ResourceSlice
        self.wiped.append((round(self._clock.monotonic(), 1), fields))
        if self._errors:
            raise self._errors.pop(0)


def tell(story: Callable[[Any, SliceWiper, Api], Awaitable[None]], *errors: StatusError | OSError) -> None:
    async def main(clock: Any, chance: Any) -> None:
        async with Tasks() as tasks:
            api = Api(clock, *errors)
            await story(clock, SliceWiper(cast("Client", api), "n1", clock, chance, tasks), api)

    run(main)


def test_at_the_start_all_go_however_long_it_takes() -> None:
    async def story(clock: Any, wiper: SliceWiper, api: Api) -> None:
        begun = clock.monotonic()
        wiper.start()
        await clock.sleep(100)
        assert [fields for _, fields in api.wiped] == ["spec.nodeName=n1"] * 3
        waits = [later - earlier for (earlier, _), (later, _) in zip(api.wiped, api.wiped[1:], strict=False)]
        assert 1 <= waits[0] <= 1.3
        assert 2 <= waits[1] <= 2.5
        assert api.wiped[0][0] == round(begun, 1)

    tell(story, Unauthorized("who are you"), OSError("nobody there"))


def test_none_there_is_fine() -> None:
    async def story(clock: Any, wiper: SliceWiper, api: Api) -> None:
        wiper.start()
        await clock.sleep(100)
        assert len(api.wiped) == 1

    tell(story, NotFound("no such slices"))


def test_a_driver_has_half_a_minute_to_come_back() -> None:
    async def story(clock: Any, wiper: SliceWiper, api: Api) -> None:
        wiper.changed("gpu", usable=False)
        wiper.changed("nic", usable=False)
        await clock.sleep(DELAY - 1)
        wiper.changed("gpu", usable=False)  # the time began with the first
        wiper.changed("nic", usable=True)
        await clock.sleep(2)
        assert [fields for _, fields in api.wiped] == ["spec.nodeName=n1,spec.driver=gpu"]
        await clock.sleep(1000)
        assert len(api.wiped) == 1
        wiper.changed("gpu", usable=False)
        await clock.sleep(DELAY + 1)
        assert len(api.wiped) == 2

    tell(story)


def test_the_nodes_own_go_and_no_others() -> None:
    async def story(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            for name in ("n1", "n2"):
                await client.create(Node, {"metadata": {"name": name}})
                for driver in ("gpu.example.com", "nic.example.com"):
                    pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
                    spec: Any = {"nodeName": name, "driver": driver, "pool": pool, "devices": []}
                    await client.create(ResourceSlice, {"metadata": {"name": f"{name}-{driver[:3]}"}, "spec": spec})
            wiper = SliceWiper(client, "n1", clock, chance, tasks)

            async def left() -> list[str]:
                return [one.metadata.name for one in (await client.list(ResourceSlice)).items]

            wiper.changed("gpu.example.com", usable=False)
            await clock.sleep(DELAY + 5)
            assert await left() == ["n1-nic", "n2-gpu", "n2-nic"]
            wiper.start()
            await clock.sleep(5)
            assert await left() == ["n2-gpu", "n2-nic"]

    run(story)
