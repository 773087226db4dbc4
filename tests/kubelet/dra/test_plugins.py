"""Plugins come and go, and the newest that is there is asked."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fakes.dra_driver import DRIVER
from kubelet.dra.claiming import Bench, serve
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.dra.plugin import DraPlugin
from pilothouse.kubelet.plugins.unix_client import PluginError

GOOD = ("v1.DRAPlugin",)
SUPPORTED = 'are supported by the kubelet (["v1.DRAPlugin" "v1beta1.DRAPlugin"])'


@pytest.mark.parametrize(
    ("services", "chosen"),
    [
        (("v1.DRAPlugin", "v1beta1.DRAPlugin"), "v1.DRAPlugin"),
        (("v1beta1.DRAPlugin",), "v1beta1.DRAPlugin"),
        (("v9.DRAPlugin", "v1alpha1.DRAResourceHealth", "v1.DRAPlugin"), "v1.DRAPlugin"),
    ],
)
def test_the_service_that_both_speak(services: tuple[str, ...], chosen: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        assert bench.resources.plugins.validate(DRIVER, str(tmp_path / "x.sock"), services) == chosen

    serve(tmp_path, story)


@pytest.mark.parametrize(
    ("services", "why"),
    [
        ((), "empty list of supported gRPC services (aka supported versions)"),
        (("v1alpha4.Node", "1.0.0"),
         f'none of services supported by the plugin (["v1alpha4.Node" "1.0.0"]) {SUPPORTED}'),
    ],
)  # fmt: skip
def test_services_that_will_not_do(services: tuple[str, ...], why: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        socket = tmp_path / "x.sock"
        with pytest.raises(PluginError) as told:
            bench.resources.plugins.add(DRIVER, str(socket), services)
        where = f"DRA driver plugin {DRIVER} at endpoint {socket}"
        assert str(told.value) == f"invalid supported gRPC versions of {where}: {why}"

    serve(tmp_path, story)


@pytest.mark.parametrize(
    ("driver", "endpoint", "why"),  # Assumed: the wording.
    [
        ("", "{root}/x.sock", 'invalid DRA driver name ""'),
        ("../evil", "{root}/x.sock", 'invalid DRA driver name "../evil"'),
        ("a" * 64, "{root}/x.sock", "invalid DRA driver name"),
        (DRIVER, "", "empty DRA plugin endpoint"),
        (DRIVER, "x.sock", "must be an absolute path"),
        (DRIVER, "{root}/" + "x" * 108, "is longer than 107 bytes"),
        (DRIVER, "/run/x.sock", "is not inside"),
        (DRIVER, "{root}/../x.sock", "is not inside"),
    ],
)
def test_plugins_are_not_trusted(driver: str, endpoint: str, why: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(PluginError) as told:
            bench.resources.plugins.validate(driver, endpoint.format(root="/r"), GOOD)
        assert why in str(told.value)
        bench.resources.plugins.validate(DRIVER, "/r/plugins/./a/../x.sock", GOOD)

    serve(Path("/r"), story)


def test_the_newest_that_is_there_is_asked(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        plugins, told = bench.resources.plugins, list[bool]()
        plugins.on_change = lambda _driver, usable: told.append(usable)
        for name, why in (("", "DRA driver name is empty"), (DRIVER, f"DRA driver {DRIVER} is not registered")):
            with pytest.raises(ClaimError) as error:
                plugins.plugin(name)
            assert str(error.value) == why
        absent = str(tmp_path / "absent.sock")
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert told == [False, True]
            plugins.add(DRIVER, absent, GOOD)
            assert plugins.plugin(DRIVER).endpoint == str(driver.socket)
            with pytest.raises(PluginError) as again:
                plugins.add(DRIVER, absent, GOOD)
            assert str(again.value) == f"endpoint {absent} already registered for DRA driver plugin {DRIVER}"
            await driver.stop()
            await bench.until(lambda: not told[-1])
            assert plugins.plugin(DRIVER).endpoint == absent
            await driver.start()
            await bench.until(lambda: told[-1])
            await plugins.remove(DRIVER, str(driver.socket))
            assert not told[-1]
            await plugins.remove(DRIVER, absent)
            with pytest.raises(ClaimError):
                plugins.plugin(DRIVER)

    serve(tmp_path, story)


def test_a_driver_that_talks_without_end_leaves_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chatter(_plugin: DraPlugin) -> AsyncIterator[list[Any]]:
        for _ in range(100):
            yield []

    async def story(bench: Bench) -> None:
        turns, heard = itertools.count(), list[int]()
        latest = next(turns)

        async def others() -> None:
            nonlocal latest
            while True:
                latest = next(turns)
                await bench.clock.sleep(0)

        bench.tasks.spawn(others(), name="others")
        bench.resources.plugins.on_health = lambda _driver, _told: heard.append(latest)
        monkeypatch.setattr(DraPlugin, "health", chatter)
        bench.resources.plugins.add(DRIVER, str(tmp_path / "x.sock"), (*GOOD, "v1.DRAResourceHealth"))
        await bench.until(lambda: len(heard) > 100)
        assert len(set(heard)) > 90

    serve(tmp_path, story)
