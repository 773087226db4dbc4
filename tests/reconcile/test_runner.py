from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import Again, Controller, Tools, Watch, itself
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


class Greeter(Controller):
    name = "greeter"
    watches = (Watch(Pod, itself),)

    def __init__(self, tools: Tools, greeting: str) -> None:
        super().__init__(tools)
        self.greeting = greeting
        self.started_at = -1.0

    async def start(self) -> None:
        await self.clock.sleep(3)
        self.started_at = self.clock.monotonic()

    async def reconcile(self, key: Key) -> Again | None:
        pod = self.informers.of(Pod).lister.get(key)
        if pod is not None and not pod.metadata.annotations:
            await self.client.patch(
                Pod, key.name, key.namespace, {"metadata": {"annotations": {"said": self.greeting}}}
            )
            self.events.event(pod, "Normal", "Greeted", self.greeting)
        return None


def test_controllers_start_look_around_and_work() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        api.add("v1", "Pod", {"metadata": {"name": "a", "namespace": "ns"}})
        async with Tasks() as tasks:
            (controller,) = run_all(
                [Greeter], api.client, clock, chance, tasks, make=lambda _, tools: Greeter(tools, "hello")
            )
            await clock.sleep(1)
            assert "annotations" not in api.get("pods", "ns", "a")["metadata"]
            await clock.sleep(5)
        assert isinstance(controller, Greeter)
        assert controller.started_at == 3
        assert api.get("pods", "ns", "a")["metadata"]["annotations"] == {"said": "hello"}
        assert [event["source"] for event in api.of("events")] == [{"component": "greeter"}]

    run(main)
