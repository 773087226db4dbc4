"""How the runtime is listened to, as metrics have it."""

from typing import Any

from kubelet.test_pleg import Runtime
from pilothouse.kubelet.counts.pleg_counts import PlegCounts
from pilothouse.kubelet.cri.interface import CriUnavailable
from pilothouse.kubelet.pleg import Pleg
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop


class Breaking(Runtime):
    """Its stream ends at once, then tells of something, then breaks off again."""

    tries = 0

    async def events(self) -> Any:
        self.tries += 1
        if self.tries == 2:
            yield "uid-a"
            yield "uid-b"
        if self.tries > 3:
            await self.clock.sleep(1e6)
        raise CriUnavailable("UNAVAILABLE", "gone")


def test_listings_and_streams_are_counted() -> None:
    async def main(clock: Clock, _chance: object) -> None:
        metrics = Metrics()
        pleg = Pleg(Breaking(clock), clock, lambda _: None, PlegCounts(metrics))

        def said(name: str) -> float | None:
            return metrics.registry.get_sample_value(f"kubelet_{name}")

        await pleg.look()
        await clock.sleep(7)
        await pleg.look()
        assert said("pleg_relist_duration_seconds_count") == 2
        assert said("pleg_relist_interval_seconds_sum") == 7
        assert said("pleg_last_seen_seconds") == clock.now()
        async with Tasks() as tasks:
            tasks.spawn(pleg.listen(), name="listen")
            await clock.sleep(10)
        page = metrics.page().decode()
        assert "\nkubelet_evented_pleg_connection_success_count 1.0\n" in page
        assert "\nkubelet_evented_pleg_connection_error_count 3.0\n" in page

    loop.run(main)
