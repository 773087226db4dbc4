"""What pods claim is ready before they start, and given back when the last of them is over."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fakes.dra_driver import DRIVER, device
from kubelet.dra.claiming import Bench, claim, serve, user, uses
from pilothouse.kubelet.dra.claim_info import ClaimError, ClaimInfo, Device
from pilothouse.kubelet.dra.health import HEALTHY, Health

PREPARE, UNPREPARE = "NodePrepareResources", "NodeUnprepareResources"


async def over(_uid: str) -> bool:
    return True


def test_a_pod_gets_its_devices_and_gives_them_back(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a", "b")
        bench.claims.put(claim("a", "web"), claim("b", "web"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(web) == ""
            assert driver.calls() == [f"{PREPARE} a b"]
            assert driver.paths == ["/k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin/NodePrepareResources"]
            devices = bench.resources.cdi(web, web.spec.containers[0])
            assert devices == [f"{DRIVER}/gpu=a", f"{DRIVER}/gpu=b"]
            assert await bench.refused(web) == ""
            assert len(driver.asked) == 1, "what is ready stays ready"
            assert await bench.kept(web) == ""
            assert driver.calls(UNPREPARE) == ["a b"]
            assert driver.ready == {}
            assert await bench.kept(web) == ""
            assert len(driver.asked) == 2, "what was given back is"

    serve(tmp_path, story)


def test_pods_without_claims_wait_for_nobody(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.claims.away = True
        assert await bench.refused(user("web")) == ""
        assert await bench.kept(user("web")) == ""

    serve(tmp_path, story)
    assert list(tmp_path.iterdir()) == []


def test_each_driver_is_asked_once_for_all_its_claims(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web, other = user("web", "a", "both", "c"), "nic.example.com"
        bench.claims.put(claim("a", "web"), claim("both", "web", drivers=(DRIVER, other)), claim("c", "web"))
        async with bench.driver() as gpu, bench.driver(other, "v1beta1.DRAPlugin") as nic:
            await bench.connect(gpu)
            assert await bench.refused(web) == f"prepare dynamic resources: DRA driver {other} is not registered"
            assert gpu.asked == []
            await bench.connect(nic)
            nic.devices["both"] = [device("eth1", driver=other)]
            assert await bench.refused(web) == ""
            assert (gpu.calls(PREPARE), nic.calls(PREPARE)) == (["a both c"], ["both"])
            assert nic.paths == ["/k8s.io.kubelet.pkg.apis.dra.v1beta1.DRAPlugin/NodePrepareResources"]
            devices = bench.resources.cdi(web, web.spec.containers[0])
            assert devices == [f"{DRIVER}/gpu=a", f"{DRIVER}/gpu=both", f"{other}/gpu=eth1", f"{DRIVER}/gpu=c"]
            assert await bench.kept(web) == ""
            assert (gpu.calls(UNPREPARE), nic.calls(UNPREPARE)) == (["a both c"], ["both"])

    serve(tmp_path, story)


def test_a_shared_claim_goes_back_with_its_last_pod(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, other, stranger = user("one", "a"), user("other", "a"), user("stranger", "a")
        bench.claims.put(claim("a", "one", "other"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(one) == await bench.refused(other) == ""
            assert driver.calls() == [f"{PREPARE} a"]
            assert "not allowed" in await bench.refused(stranger)
            assert await bench.kept(stranger) == await bench.kept(one) == ""
            assert driver.ready == {"uid-a": None}
            assert bench.resources.cdi(other, other.spec.containers[0]) == [f"{DRIVER}/gpu=a"]
            assert await bench.kept(other) == ""
            assert driver.calls() == [f"{PREPARE} a", f"{UNPREPARE} a"]

    serve(tmp_path, story)


def test_a_claim_is_one_pods_at_a_time(tmp_path: Path) -> None:
    """While the last pod gives a claim back, another that comes waits, and has it made ready anew."""

    async def story(bench: Bench) -> None:
        one, other = user("one", "a"), user("other", "a")
        bench.claims.put(claim("a", "one", "other"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(one) == ""
            driver.hanging.clear()
            going = bench.tasks.spawn(bench.kept(one), name="going")
            await bench.until(lambda: len(driver.asked) == 2)
            coming = bench.tasks.spawn(bench.refused(other), name="coming")
            await bench.clock.sleep(0)
            driver.hanging.set()
            assert (await going, await coming) == ("", "")
            assert driver.calls() == [f"{PREPARE} a", f"{UNPREPARE} a", f"{PREPARE} a"]
            assert driver.ready == {"uid-a": None}

    serve(tmp_path, story)


def test_what_speaks_against_a_claim_is_found_before_its_driver_is_asked(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.driver() as driver:
            await bench.connect(driver)
            bench.claims.put(
                claim("foreign", "other"), {**claim("early", "web"), "status": {"reservedFor": [{"uid": "uid-web"}]}}
            )
            wrong = {
                "gone": 'fetch ResourceClaim gone: resourceclaims.resource.k8s.io "gone" not found',
                "foreign": "pod web (uid-web) is not allowed to use ResourceClaim foreign (uid-foreign)",
                "early": "ResourceClaim early: not allocated",
            }
            for name, why in wrong.items():
                assert await bench.refused(user("web", name)) == f"prepare dynamic resources: {why}"
            bench.claims.away = True
            assert await bench.refused(user("web", "a")) == (
                "prepare dynamic resources: fetch ResourceClaim a: timed out"
            )
            assert driver.asked == []
            assert bench.resources.cache.pods() == []

    serve(tmp_path, story)


def test_a_claim_for_administration_is_made_ready_as_others_are(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a")
        bench.claims.put(claim("a", "web", admin=True))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(web) == ""
            assert bench.resources.cdi(web, web.spec.containers[0]) == [f"{DRIVER}/gpu=a"]

    serve(tmp_path, story)


@pytest.mark.parametrize(
    ("name", "spoilt", "expected"),
    [
        (PREPARE, {"wrong": {PREPARE: "oops"}}, f"{PREPARE}: rpc error: code = Internal desc = oops"),
        (PREPARE, {"errors": {"b": "no such GPU"}}, f"{PREPARE} failed for ResourceClaim b: no such GPU"),
        (PREPARE, {"answers": {PREPARE: {"claims": []}}}, f"{PREPARE} skipped 2 ResourceClaims"),
        (
            PREPARE, {"answers": {PREPARE: {"claims": [{"key": "x"}]}}},
            f"{PREPARE} returned result for unknown claim UID x",
        ),
        (UNPREPARE, {"wrong": {UNPREPARE: "oops"}}, f"{UNPREPARE}: rpc error: code = Internal desc = oops"),
        (UNPREPARE, {"errors": {"a": "busy"}}, f"{UNPREPARE} failed for ResourceClaim a: busy"),
        (UNPREPARE, {"answers": {UNPREPARE: {"claims": []}}}, f"{UNPREPARE} skipped 2 ResourceClaims"),
    ],
)  # fmt: skip
def test_what_fails_is_told_and_tried_again(name: str, spoilt: dict[str, Any], expected: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a", "b")
        bench.claims.put(claim("a", "web"), claim("b", "web"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            if name == UNPREPARE:
                assert await bench.refused(web) == ""
            for what, how in spoilt.items():
                setattr(driver, what, how)
            done = bench.refused if name == PREPARE else bench.kept
            prefix = "prepare" if name == PREPARE else "unprepare"
            assert await done(web) == f"{prefix} dynamic resources: {expected}"
            for what in spoilt:
                setattr(driver, what, {})
            assert await done(web) == ""
            if name == PREPARE:
                assert await bench.kept(web) == ""
            assert driver.ready == {}
            assert bench.resources.cache.counts() == {"<any>": 0}

    serve(tmp_path, story)


def test_the_next_kubelet_gives_back_what_the_last_had_made_ready(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        kept, gone, running = user("kept", "a"), user("gone", "b", "c"), user("running", "d")
        for one in (kept, gone, running):
            bench.claims.put(*(claim(name.name, one.metadata.name) for name in one.spec.resourceClaims))
        async with bench.driver() as driver:
            await bench.connect(driver)
            for one in (kept, gone, running):
                assert await bench.refused(one) == ""
            bench.start()
            assert bench.resources.cdi(kept, kept.spec.containers[0]) == [f"{DRIVER}/gpu=a"]

            async def ended(uid: str) -> bool:
                return uid != "uid-running"

            await bench.resources.give_back({"uid-kept"}, ended)
            assert driver.calls(UNPREPARE) == [], "its driver has not come back"
            assert await bench.kept(gone) == f"unprepare dynamic resources: DRA driver {DRIVER} is not registered"
            await bench.connect(driver)
            await bench.resources.give_back({"uid-kept"}, ended)
            assert driver.calls(UNPREPARE) == ["b c"]
            assert await bench.refused(kept) == ""
            assert driver.calls(PREPARE)[-1] == "a", "a new sandbox has it made ready by this kubelet too"
            bench.start()
            await bench.connect(driver)
            await bench.resources.give_back((), over)
            assert driver.ready == {}

    serve(tmp_path, story)


def test_a_kubelet_that_dies_while_a_driver_is_at_it_has_noted_the_claim(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a")
        bench.claims.put(claim("a", "web"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            driver.hanging.clear()
            dying = bench.tasks.spawn(bench.refused(web), name="dying")
            await bench.until(lambda: bool(driver.asked))
            bench.start()
            dying.cancel()
            driver.hanging.set()
            await asyncio.wait([dying])
            await bench.connect(driver)
            await bench.resources.give_back((), over)
            assert driver.calls()[-1] == f"{UNPREPARE} a"
            assert driver.ready == {}

    serve(tmp_path, story)


def test_a_claim_of_another_uid_waits_for_the_old_one(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        old, new = user("old", "a"), user("new", "a")
        bench.claims.put(claim("a", "old"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(old) == ""
            bench.claims.put(claim("a", "new", uid="uid-a2"))
            assert await bench.refused(new) == (
                "prepare dynamic resources: old ResourceClaim with same name a and different UID uid-a still exists "
                "(previous pod force-deleted?!)"
            )
            await bench.resources.give_back(["uid-new"], over)
            assert await bench.refused(new) == ""
            assert driver.ready == {"uid-a2": None}

    serve(tmp_path, story)


def test_a_container_gets_the_parts_that_it_names(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        containers = [uses("a/big", name="big"), uses("a", name="all"), {"name": "none", "image": "app:1"}]
        web = user("web", "a", containers=containers)
        bench.claims.put(claim("a", "web"))
        async with bench.driver() as driver:
            driver.devices["a"] = [device("0", "big"), device("1", "small"), device("2")]
            await bench.connect(driver)
            assert await bench.refused(web) == ""
        given = {one.name: bench.resources.cdi(web, one) for one in web.spec.containers}
        assert {name: [one[-1] for one in devices] for name, devices in given.items()} == {
            "big": ["0", "2"], "all": ["0", "1", "2"], "none": [],
        }  # fmt: skip
        bench.resources.cache.drop("uid-web", bench.resources.cache.of_pod("uid-web"))
        with pytest.raises(ClaimError) as told:
            bench.resources.cdi(web, web.spec.containers[0])
        assert str(told.value) == ("internal error: unable to get claim info for ResourceClaim a in namespace default")

    serve(tmp_path, story)


def test_extended_resources_have_a_claim_of_the_scheduler(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        asks: dict[str, Any] = {"resources": {"requests": {"example.com/gpu": "1", "example.com/none": "0"}}}
        containers = [{"name": "app", "image": "app:1", **asks}, {"name": "other", "image": "app:1"}]
        mappings = [
            {"containerName": name, "resourceName": f"example.com/{resource}", "requestName": request}
            for name, resource, request in (("app", "gpu", "r0"), ("app", "none", "r1"), ("other", "gpu", "r2"))
        ]
        extended = {"resourceClaimName": "made", "requestMappings": mappings}
        web = user("web", containers=containers, extendedResourceClaimStatus=extended)
        bench.claims.put(claim("made", "web"))
        async with bench.driver() as driver:
            driver.devices["made"] = [device("0", "r0"), device("1", "r1")]
            await bench.connect(driver)
            assert await bench.refused(web) == ""
            given = [bench.resources.cdi(web, one) for one in web.spec.containers]
            assert given == [[f"{DRIVER}/gpu=0"], []]
            assert await bench.kept(web) == ""
            assert driver.ready == {}

    serve(tmp_path, story)


def test_a_record_that_cannot_be_written_stops_the_pod(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a")
        bench.claims.put(claim("a", "web"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            blocked = tmp_path / ".dra_manager_state.new"
            blocked.mkdir()
            assert "prepare dynamic resources: checkpoint ResourceClaim cache: " in await bench.refused(web)
            assert driver.asked == []
            blocked.rmdir()
            assert await bench.refused(web) == ""

    serve(tmp_path, story)


def test_a_claim_is_not_given_back_before_that_is_written_down(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        one, other = user("one", "a", "b"), user("other", "b")
        bench.claims.put(claim("a", "one"), claim("b", "one", "other"))
        async with bench.driver() as driver:
            await bench.connect(driver)
            assert await bench.refused(one) == await bench.refused(other) == ""
            told = list[Any]()
            bench.resources.cache.on_change = told.append
            blocked = tmp_path / ".dra_manager_state.new"
            blocked.mkdir()
            for _ in range(2):
                assert "unprepare dynamic resources: checkpoint ResourceClaim state: " in await bench.kept(one)
                assert bench.resources.cache.pods() == ["uid-one", "uid-other"]
                assert told[-1] == {"<any>": 2, DRIVER: 2}
            blocked.rmdir()
            assert await bench.kept(one) == ""
            bench.start()
            assert bench.resources.cache.pods() == ["uid-other"]

    serve(tmp_path, story)


class CountedDevices(dict[str, tuple[Device, ...]]):
    """Knows how often it is looked at."""

    looks = 0

    def get(self, driver: str, default: Any = None, /) -> Any:
        self.looks += 1
        return super().get(driver, default)


def test_a_driver_may_tell_of_any_number_of_devices(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        devices = CountedDevices({DRIVER: (Device("n1", "7"),)})
        bench.resources.cache.refer("uid-web", [ClaimInfo("default", "a", "uid-a", devices)])
        devices.looks, told = 0, list[str]()
        bench.resources.on_health = told.append
        bench.resources.plugins.on_health(DRIVER, [(("n1", str(number)), Health(HEALTHY)) for number in range(1000)])
        assert (told, devices.looks) == (["uid-web"], 1)

    serve(tmp_path, story)
