"""A DRA driver below `plugins_registry` is taken in, and told when it will not do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.dra_driver import DRIVER
from kubelet.dra.claiming import Bench, serve
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.plugins.handlers.dra import DraHandler
from pilothouse.kubelet.plugins.registration import register
from pilothouse.kubelet.plugins.unix_client import PluginError


def handler_of(resources: Any) -> DraHandler:
    return DraHandler(cast("Any", SimpleNamespace(services=SimpleNamespace(dynamic_resources=resources))))


def test_it_comes_and_goes(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        handler = handler_of(bench.resources)
        async with bench.driver() as driver:
            taken = await register(driver.registration, {handler.kind: handler}, bench.clock)
            assert (taken.name, driver.told) == (DRIVER, [(True, "")])
            assert bench.resources.plugins.plugin(DRIVER).endpoint == str(driver.socket)
            await handler.deregister(taken.name, taken.endpoint)
            with pytest.raises(ClaimError):
                bench.resources.plugins.plugin(DRIVER)

    serve(tmp_path, story)


def test_one_that_will_not_do_is_told(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        handler = handler_of(bench.resources)
        async with bench.driver(DRIVER, "v1alpha3.Node") as driver:
            with pytest.raises(PluginError):
                await register(driver.registration, {handler.kind: handler}, bench.clock)
            ((taken, why),) = driver.told
            assert not taken
            assert "plugin validation failed with err: invalid supported gRPC versions of DRA driver plugin" in why
        with pytest.raises(PluginError, match="no dynamic resources"):
            await handler_of(None).register(DRIVER, "/x", ())

    serve(tmp_path, story)
