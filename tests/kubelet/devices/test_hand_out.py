"""Pods get devices from real plugins, and keep them."""

from pathlib import Path

import pytest

from kubelet.devices.handing_out import BAD, GOOD, Bench, serve, user, wanting
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.contribution import Contribution
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.devices.handed_out import FILE
from pilothouse.kubelet.devices.stock import GRACE
from pilothouse.kubelet.environment import ConfigError

FOO = "example.com/foo"
NONE_LEFT = (
    "Allocate failed due to requested number of devices unavailable for example.com/foo. "
    "Requested: 1, Available: 0, which is unexpected"
)


async def given(devices: Devices, one: Pod, container: int = 0) -> Contribution:
    return await devices.contribute(one, one.spec.containers[container])


def test_pods_get_devices_while_there_are_some(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        device = {"container_path": "/dev/foo", "host_path": "/dev/null", "permissions": "mrw"}
        async with bench.plugin(a=GOOD, b=BAD, c=GOOD) as plugin:
            plugin.given = {"devices": [device]}
            await bench.connect(plugin)
            assert bench.devices.amounts() == ({FOO: "3"}, {FOO: "2"})
            web = user("web", wanting(1), wanting(1, "other"), {"name": "none", "image": "app:1"})
            assert await bench.refused(web) == ""
            assert (bench.held(web), bench.held(web, "other"), bench.held(web, "none")) == ("a", "c", "")
            got = await given(bench.devices, web)
            assert (got.devices, got.envs) == ((device,), {"FOO": "a"})
            assert (await given(bench.devices, web, 1)).envs == {"FOO": "c"}
            assert await given(bench.devices, web, 2) == Contribution()
            assert await bench.refused(user("late")) == NONE_LEFT
            assert await bench.refused(web) == ""
            assert len(plugin.calls("Allocate")) == 2
            assert plugin.calls("GetPreferredAllocation") == plugin.calls("PreStartContainer") == []
            changed = user("web", wanting(2), wanting(1, "other"))
            assert 'pod "uid-web" container "app" changed request for resource "example.com/foo" from 1 to 2' in (
                await bench.refused(changed)
            )
            assert bench.held(web) == "a"

    serve(tmp_path, story)


def test_who_wants_none_does_not_wait_for_a_plugin_that_is_slow_for_others(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD) as plugin, bench.devices._one_at_a_time:
            await bench.connect(plugin)
            async with bench.clock.timeout(20):
                assert await bench.refused(user("web", {"name": "none", "image": "app:1"})) == ""

    serve(tmp_path, story)


def test_what_pods_had_that_are_over_is_free_once_all_pods_are_known(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD) as plugin:
            await bench.connect(plugin)
            first, second = user("first"), user("second")
            assert await bench.refused(first) == ""
            assert await bench.refused(second) == NONE_LEFT
            bench.active = {"uid-first", "uid-second"}
            assert await bench.refused(second) == NONE_LEFT
            bench.active = {"uid-second"}
            assert await bench.refused(second) == ""
            assert (bench.held(first), bench.held(second)) == ("", "a")
            bench.active = set()
            bench.devices.refresh()
            assert bench.held(second) == ""

    serve(tmp_path, story)


def test_the_plugin_may_say_which_it_prefers_and_the_others_come_from_near(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD, c=GOOD, d=GOOD) as plugin:
            plugin.options = {"get_preferred_allocation_available": True}
            plugin.preferred = ["d", "zz"]
            plugin.nodes = {"a": [0], "b": [1], "c": [1], "d": [0, 1]}
            await bench.connect(plugin)
            one, two = user("one", wanting(2)), user("two", wanting(1))
            assert await bench.refused(one) == ""
            assert bench.held(one) == "ad"
            (asked,) = plugin.calls("GetPreferredAllocation")
            (request,) = asked.container_requests  # type: ignore[attr-defined]
            assert request.available_deviceIDs == ["a", "b", "c", "d"]
            assert (request.must_include_deviceIDs, request.allocation_size) == ([], 2)
            told = bench.devices.of("uid-one", "app")["devices"]
            assert [device["topology"]["nodes"] for device in told] == [[{"ID": 0}], [{"ID": 0}, {"ID": 1}]]
            bench.near, plugin.preferred = [1], ["c"]
            assert await bench.refused(two) == ""
            assert bench.held(two) == "c"
            bench.near, plugin.wrong["GetPreferredAllocation"] = None, "lost"
            message = "device plugin GetPreferredAllocation rpc failed with err: rpc error: code = Unknown desc = lost"
            assert await bench.refused(user("three")) == f"Allocate failed due to {message}, which is unexpected"

    serve(tmp_path, story)


def test_what_init_containers_had_serves_the_others_but_not_what_sidecars_have(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD, c=GOOD, d=GOOD) as plugin:
            await bench.connect(plugin)
            web = user("web", wanting(1, "one"), wanting(2, "two"), initContainers=[
                wanting(1, "init"), wanting(2, "more"), wanting(1, "side", restartPolicy="Always"),
            ])  # fmt: skip
            assert await bench.refused(web) == ""
            held = {name: bench.held(web, name) for name in ("init", "more", "side", "one", "two")}
            assert held == {"init": "a", "more": "ab", "side": "a", "one": "b", "two": "cd"}

    serve(tmp_path, story)


def test_what_was_begun_is_undone_when_the_plugin_refuses(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD) as plugin, bench.plugin("example.com/two", x=GOOD) as other:
            await bench.connect(plugin)
            await bench.connect(other)
            other.wrong["Allocate"] = "burnt"
            timed: list[str] = []
            bench.devices.observe = lambda resource, _seconds: timed.append(resource)
            web = user("web", wanting(1), wanting(1, "other", "example.com/two"))
            why = "Allocate failed due to rpc error: code = Unknown desc = burnt, which is unexpected"
            assert await bench.refused(web) == why
            assert timed == [FOO, "example.com/two"]
            assert await bench.refused(user("next")) == ""

    serve(tmp_path, story)


def test_a_plugin_that_is_gone_takes_the_health_of_its_devices_but_not_what_was_handed_out(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        plugin, web = bench.plugin(a=GOOD, b=GOOD), user("web")
        async with plugin:
            await bench.connect(plugin)
            assert await bench.refused(web) == ""
        await bench.until(lambda: bench.devices.amounts() == ({FOO: "2"}, {FOO: "0"}))
        why = "no healthy devices present; cannot allocate unhealthy devices example.com/foo"
        assert await bench.refused(user("next")) == f"Allocate failed due to {why}, which is unexpected"
        assert (await given(bench.devices, web)).envs == {"FOO": "a"}
        async with plugin:
            plugin.set(b=GOOD)
            await bench.connect(plugin)
            await bench.until(lambda: bench.devices.amounts() == ({FOO: "1"}, {FOO: "1"}))
            assert "previously allocated devices are no longer healthy" in await bench.refused(web)
            assert (await given(bench.devices, web)).envs == {"FOO": "a"}
            assert await bench.refused(user("next")) == ""

    serve(tmp_path, story)


def test_after_some_time_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bench: Bench) -> None:
        plugin, web = bench.plugin(a=GOOD), user("web")
        async with plugin:
            await bench.connect(plugin)
            assert await bench.refused(web) == ""
        await bench.until(lambda: bench.devices.amounts()[1] == {FOO: "0"})
        later = bench.clock.monotonic() + GRACE + 1
        monkeypatch.setattr(bench.clock, "monotonic", lambda: later)
        assert bench.devices.amounts() == ({FOO: "0"}, {FOO: "0"})
        why = "cannot allocate unregistered device example.com/foo"
        assert await bench.refused(user("next")) == f"Allocate failed due to {why}, which is unexpected"
        with pytest.raises(ConfigError, match=r"^endpoint not found in cache for a registered resource"):
            await given(bench.devices, web)
        bench.active = set()
        bench.devices.refresh()
        assert await bench.refused(user("next")) == ""

    serve(tmp_path, story)


def test_another_kubelet_knows_who_has_what_and_waits_for_the_plugins(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD) as plugin:
            await bench.connect(plugin)
            web = user("web")
            assert await bench.refused(web) == ""
            await bench.devices.plugins.close()
            bench.start()
            assert bench.devices.amounts() == ({FOO: "0"}, {FOO: "0"})
            assert (await given(bench.devices, web)).envs == {"FOO": "a"}
            assert "no healthy devices present" in await bench.refused(user("next"))
            await bench.connect(plugin)
            assert await bench.refused(web) == ""
            next_one = user("next")
            assert await bench.refused(next_one) == ""
            assert bench.held(next_one) == "b"
            # A node that lost its record gives a container that starts again what it lacks.
            await bench.devices.plugins.close()
            (bench.directory / FILE).unlink()
            bench.start()
            await bench.connect(plugin)
            assert (await given(bench.devices, next_one)).envs == {"FOO": "a"}
            assert (await given(bench.devices, web)).envs == {"FOO": "b"}

    serve(tmp_path, story)


def test_a_plugin_hears_of_each_start_that_it_wants_to_hear_of(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD) as plugin:
            plugin.options = {"pre_start_required": True}
            await bench.connect(plugin)
            web = user("web", wanting(2))
            assert await bench.refused(web) == ""
            await given(bench.devices, web)
            await given(bench.devices, web)
            asked = [list(one.devices_ids) for one in plugin.calls("PreStartContainer")]  # type: ignore[attr-defined]
            assert asked == [["a", "b"], ["a", "b"]]
            plugin.wrong["PreStartContainer"] = "hot"
            message = "^device plugin PreStartContainer rpc failed with err: rpc error: code = Unknown desc = hot$"
            with pytest.raises(ConfigError, match=message):
                await given(bench.devices, web)
            unknown = (
                "^no devices found allocated in local cache for pod uid-x, container app, resource example.com/foo$"
            )
            with pytest.raises(ConfigError, match=unknown):
                await given(bench.devices, user("x"))

    serve(tmp_path, story)


def test_the_node_offers_no_less_than_a_pod_has_got(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD) as plugin:
            await bench.connect(plugin)
            web = user("web", wanting(2))
            assert await bench.refused(web) == ""
            offers = {"cpu": "2", FOO: "0"}
            assert bench.devices.known_to(web, offers) == {"cpu": "2", FOO: "2"}
            assert bench.devices.known_to(web, {FOO: "5"}) == {FOO: "5"}
            assert bench.devices.known_to(user("next"), offers) == offers
            told = [device["device_ids"] for device in bench.devices.allocatable()["devices"]]
            assert told == [["a"], ["b"]]

    serve(tmp_path, story)


def test_what_no_plugin_has_is_not_its_business(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", wanting(1, resource="example.com/bar"))
        assert await bench.refused(web) == ""
        assert await given(bench.devices, web) == Contribution()

    serve(tmp_path, story)
