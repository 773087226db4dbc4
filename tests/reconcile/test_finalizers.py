import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.core_v1 import ConfigMap
from pilothouse.reconcile.finalizers import add_finalizer, has_finalizer, remove_finalizer
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run


def test_an_object_goes_when_its_last_finalizer_does() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        client = api.client()
        view = await client.create(ConfigMap, {"metadata": {"name": "a", "namespace": "ns"}})
        view = await add_finalizer(client, ConfigMap, view, "x/one")
        view = await add_finalizer(client, ConfigMap, view, "x/two")
        assert await add_finalizer(client, ConfigMap, view, "x/two") is view
        assert view.metadata.finalizers == ("x/one", "x/two")
        assert has_finalizer(view, "x/one")
        await client.delete(ConfigMap, "a", "ns")
        for name in ("x/one", "x/two"):
            await remove_finalizer(client, ConfigMap, await client.get(ConfigMap, "a", "ns"), name)
        assert api.of("configmaps") == []
        await remove_finalizer(client, ConfigMap, view, "x/one")

    run(main)


def test_a_change_meanwhile_is_a_conflict() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        view = await api.client().create(ConfigMap, {"metadata": {"name": "a", "namespace": "ns"}})
        api.put("configmaps", "ns", "a", {"data": {"x": "y"}})
        await add_finalizer(api.client(), ConfigMap, view, "x/one")

    with pytest.raises(errors.Conflict):
        run(main)
