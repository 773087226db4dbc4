"""Hooks that went otherwise than asked for."""

import pytest

from kubelet.test_hooks import CONTAINER, NO_HTTPS, Server
from pilothouse.api.types.core_v1 import LifecycleHandler
from pilothouse.kubelet.counts.hook_counts import HookCounts
from pilothouse.kubelet.hooks import Hooks
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


def test_fallbacks_and_cut_sleeps_are_counted() -> None:
    metrics = Metrics()

    async def main(clock: Clock, _chance: object) -> None:
        hooks = Hooks(FakeCri(clock), Server([NO_HTTPS, 200]).fetch, clock, HookCounts(metrics))
        asked = LifecycleHandler({"httpGet": {"port": 80, "scheme": "HTTPS"}})
        await hooks.run(CONTAINER, asked, "c", "10.0.0.9")
        await hooks.run(CONTAINER, LifecycleHandler({"sleep": {"seconds": 3}}), "c", "")
        with pytest.raises(TimeoutError):
            async with clock.timeout(1):
                await hooks.run(CONTAINER, LifecycleHandler({"sleep": {"seconds": 3}}), "c", "")

    loop.run(main)
    assert metrics.registry.get_sample_value("kubelet_lifecycle_handler_http_fallbacks_total") == 1
    assert metrics.registry.get_sample_value("kubelet_sleep_action_terminated_early_total") == 1
