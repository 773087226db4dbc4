"""Users of a pod's own: which range it gets, what the runtime is told, and when it is not asked at all."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.features import Handler
from pilothouse.kubelet.cri.interface import Image, RuntimeStatus
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.security import PolicyBroken
from pilothouse.kubelet.userns import IdPool, UserRange, UserRanges, require_support
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

UNIT = 65536
POOL = IdPool.of(UNIT, 110)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / "kubelet", tmp_path / "logs")
    for uid in ("a", "b", "c"):
        found.pod(uid).mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    ("each", "pods", "ids", "pool"),
    [
        (UNIT, 65535, None, (UNIT, (1 << 32) - UNIT)),
        (3 * UNIT, 110, None, (3 * UNIT, (65536 // 3 - 1) * 3 * UNIT)),
        (UNIT, 2, (5 * UNIT, 2 * UNIT), (5 * UNIT, 2 * UNIT)),
    ],
)
def test_pods_have_all_users_but_the_first_range_or_those_set_aside(
    each: int, pods: int, ids: tuple[int, int] | None, pool: tuple[int, int]
) -> None:
    found = IdPool.of(each, pods, ids)
    assert (found.first, found.length, found.each) == (*pool, each)


@pytest.mark.parametrize(
    ("each", "pods", "ids", "told"),
    [
        (0, 1, None, "length 0 is not a multiple of 65536"),
        (65537, 1, None, "length 65537 is not a multiple of 65536"),
        (UNIT, 65536, None, "not enough to support 65536 pods"),
        (UNIT, 3, (UNIT, 2 * UNIT), "not enough to support 3 pods"),
        (UNIT, 1, (100000, UNIT), "assigned ID 100000 is not a multiple of 65536"),
        (UNIT, 1, (0, UNIT), "assigned ID 0 must be greater or equal to 65536"),
        (UNIT, 1, (UNIT, UNIT + 1), "IDs length 65537 is not a multiple of 65536"),
    ],
)
def test_users_that_cannot_be_divided_are_an_error(
    each: int, pods: int, ids: tuple[int, int] | None, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        IdPool.of(each, pods, ids)


def test_every_pod_has_its_own_range_and_keeps_it(layout: Layout) -> None:
    ranges = UserRanges(layout, POOL)
    assert [ranges.of(uid).first for uid in ("a", "b", "a", "c")] == [UNIT, 2 * UNIT, UNIT, 3 * UNIT]
    assert UserRanges(layout, POOL).of("b") == UserRange(2 * UNIT, UNIT)


def test_a_range_is_free_again_when_the_pods_directory_is_gone(layout: Layout) -> None:
    ranges = UserRanges(layout, POOL)
    assert ranges.of("a").first == UNIT
    (layout.pod("a") / "userns").unlink()
    assert ranges.of("b").first == UNIT


def test_ranges_may_be_longer_and_may_run_out(layout: Layout) -> None:
    ranges = UserRanges(layout, IdPool.of(1 << 31, 1))
    assert ranges.of("a") == UserRange(1 << 31, 1 << 31)
    with pytest.raises(PolicyBroken, match=r"^create user namespace: could not find an empty slot to allocate"):
        ranges.of("b")


def test_the_file_is_upstreams(layout: Layout) -> None:
    UserRanges(layout, POOL).of("a")
    mapping = [{"hostId": UNIT, "containerId": 0, "length": UNIT}]
    assert json.loads((layout.pod("a") / "userns").read_text()) == {"uidMappings": mapping, "gidMappings": mapping}
    assert [path.name for path in layout.pod("a").iterdir()] == ["userns"]


GOOD = {"hostId": UNIT, "containerId": 0, "length": UNIT}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "invalid user namespace mappings file"),
        ("{", "invalid user namespace mappings file"),
        ({}, "invalid user namespace mappings file"),
        ({"uidMappings": [GOOD, GOOD], "gidMappings": [GOOD, GOOD]}, "invalid user namespace mappings file"),
        ({"uidMappings": [GOOD], "gidMappings": []}, "GID and UID mapping should be identical"),
        ({"uidMappings": [GOOD | {"containerId": 1}]}, "UID 0 must be mapped"),
        ({"uidMappings": [GOOD | {"length": 5}]}, "wrong user namespace length 5"),
        ({"uidMappings": [GOOD | {"hostId": 7}]}, "wrong user namespace offset specified 7"),
        ({"uidMappings": [GOOD | {"hostId": 0}]}, "id 0 is out of range"),
        ({"uidMappings": [GOOD | {"hostId": 1 << 32}]}, "id 4294967296 is out of range"),
    ],
)
def test_what_cannot_be_is_told_and_stops_no_other_pod(layout: Layout, content: object, told: str) -> None:
    if isinstance(content, dict) and "uidMappings" in content:
        content = {"gidMappings": content["uidMappings"], **content}
    (layout.pod("a") / "userns").write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(PolicyBroken, match=f"user namespace: .*{told}"):
        UserRanges(layout, POOL).of("a")
    assert UserRanges(layout, POOL).of("b").first == UNIT


@pytest.mark.parametrize(
    ("handlers", "name", "told"),
    [
        ((), "", 'runtime does not support user namespaces: the handler "" is not known'),
        ((Handler(""),), "", "runtime does not support user namespaces"),
        ((Handler("", user_namespaces=True),), "", ""),
        ((Handler("", user_namespaces=True), Handler("runsc")), "runsc",
         'RuntimeClass handler "runsc" does not support user namespaces'),
        ((Handler("", user_namespaces=True),), "runsc",
         'RuntimeClass handler "runsc" does not support user namespaces: the handler "runsc" is not known'),
        ((Handler("crun", user_namespaces=True),), "crun", ""),
    ],
)  # fmt: skip
def test_the_runtimes_handler_must_say_that_it_can(handlers: tuple[Handler, ...], name: str, told: str) -> None:
    status = RuntimeStatus((), handlers)
    if not told:
        require_support(status, name)
        return
    with pytest.raises(PolicyBroken) as caught:
        require_support(status, name)
    assert str(caught.value) == f"can't set `spec.hostUsers: false`, {told}"


@dataclass
class Recording(FakeCri):
    """Keeps what it was told."""

    boxes: list[JsonObject] = field(default_factory=list)
    runs: list[JsonObject] = field(default_factory=list)

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        self.boxes.append(config)
        return await FakeCri.run_sandbox(self, config, handler)

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox: JsonObject) -> str:
        self.runs.append(config)
        assert sandbox["linux"]["security_context"]["namespace_options"] == options(self.boxes[-1])
        return await FakeCri.create_container(self, sandbox_id, config, sandbox)


def options(config: JsonObject) -> JsonObject:
    found: JsonObject = config["linux"]["security_context"]["namespace_options"]
    return found


def test_sandbox_containers_and_mounts_have_the_mapping_and_the_next_pod_another(tmp_path: Path) -> None:
    """That mounts have it too is *assumed*: without it runtimes would show volumes as nobody's."""

    async def story(clock: LoopClock, _chance: object) -> None:
        handlers = (Handler("", user_namespaces=True),)
        async with Tasks() as tasks:
            cri = Recording(clock, present={"app:1": Image("sha256:app", ("app:1",))}, handlers=handlers)
            node = FakeNode(tmp_path, clock, tasks, cri=cri)
            for name in ("first", "second", "third"):
                node.add(pod(name, hostUsers=False) if name != "third" else pod(name))
                await node.until(lambda name=name: node.pods[name].status.phase == "Running")  # type: ignore[misc]
            tasks.cancel_all()

        first, second = ([{"host_id": count * UNIT, "container_id": 0, "length": UNIT}] for count in (1, 2))
        assert options(cri.boxes[0])["userns_options"] == {"mode": 0, "uids": first, "gids": first}
        assert options(cri.runs[0])["userns_options"] == {"mode": 0, "uids": first, "gids": first}
        assert options(cri.runs[1])["userns_options"]["uids"] == second
        assert {str(mount["uidMappings"]) for mount in cri.runs[0]["mounts"]} == {str(first)}
        assert {str(mount["gidMappings"]) for mount in cri.runs[0]["mounts"]} == {str(first)}
        assert "userns_options" not in options(cri.boxes[2])
        assert all("uidMappings" not in mount for mount in cri.runs[2]["mounts"])

    loop.run(story)
