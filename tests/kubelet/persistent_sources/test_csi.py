"""Persistent volumes of a CSI driver that is really there: its calls, their order, what a restart leaves of them."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.csi_station import KEY, NAME, STAGES, CsiStation, serve, user
from kubelet.storing import claimed
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import pod_volumes
from pilothouse.kubelet.volume import Ownership, VolumeError
from pilothouse.linux.mounts import Mounts

WAY = ["NodeStageVolume", "NodePublishVolume"]
BACK = ["NodeUnpublishVolume", "NodeUnstageVolume"]


async def refused(node: CsiStation, of: Pod) -> str:
    with pytest.raises(VolumeError) as told:
        await node.set_up(of)
    return str(told.value)


def staging(node: CsiStation) -> Path:
    return node.layout.root / "plugins/kubernetes.io/csi" / NAME / hashlib.sha256(b"h1").hexdigest() / "globalmount"


def test_a_volume_goes_its_way_and_back(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi({"volumeAttributes": {"a": "b"}}, mountOptions=["noatime"])
        found = (await node.set_up(user()))["v"]
        assert found.path == node.at(user(), "csi") / "mount"
        assert driver.calls() == WAY
        stage, publish = driver.requests(WAY[0])[0], driver.requests(WAY[1])[0]
        assert (stage["volume_id"], stage["staging_target_path"]) == ("h1", str(staging(node)))
        assert (dict(stage["publish_context"]), dict(stage["volume_context"])) == ({"disk": "sdb"}, {"a": "b"})
        assert (publish["staging_target_path"], publish["target_path"]) == (str(staging(node)), str(found.path))
        assert dict(publish["publish_context"]) == {"disk": "sdb"}
        use = publish["volume_capability"]
        assert (use.mount.fs_type, list(use.mount.mount_flags), use.access_mode.mode) == ("ext4", ["noatime"], 1)
        beside = json.loads((found.path.parent / "vol_data.json").read_text())
        assert (beside["driverName"], beside["volumeHandle"], beside["specVolID"]) == (NAME, "h1", "pv1")
        assert json.loads((staging(node).parent / "vol_data.json").read_text()) == {
            "driverName": NAME, "volumeHandle": "h1",
        }  # fmt: skip
        await node.set_up(user())
        assert driver.calls() == WAY
        assert node.storage.users.attachable() == [KEY]
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == WAY + BACK
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_a_driver_that_knows_no_stage(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user())
        assert "staging_target_path" not in driver.requests(WAY[1])[0]
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == [WAY[1], BACK[0]]
        assert node.nothing_left()

    serve(tmp_path, story)


def test_the_last_pod_takes_it_off_the_node_whichever_kubelet_that_is(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await asyncio.gather(node.set_up(user("a")), node.set_up(user("b")))
        assert driver.calls().count(WAY[0]) == 1
        await node.volumes.tear_down("uid-a")
        assert BACK[1] not in driver.calls()
        await node.restart()
        await node.volumes.tear_down("uid-b")
        assert driver.calls()[-2:] == BACK
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_the_last_pod_takes_off_the_node_what_another_had_staged(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user("a"))
        attachments = dict(node.api.attachments)
        node.api.attachments.clear()
        assert "WaitForAttach" in await refused(node, user("b"))
        node.api.attachments.update(attachments)
        await node.volumes.tear_down("uid-a")
        assert BACK[1] not in driver.calls()
        await node.volumes.tear_down("uid-b")
        assert driver.calls() == WAY + BACK
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [*WAY, *BACK])
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_kubelet_that_dies_at_any_step(tmp_path: Path, call: str, after: bool, goes_on: bool) -> None:
    """The next one ends what was begun, or takes it back where the pod is gone meanwhile."""

    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        if call in BACK:
            await node.set_up(user())
        driver.hang(call, after=after)
        work = node.volumes.tear_down("uid-web") if call in BACK else node.set_up(user())
        task = asyncio.get_running_loop().create_task(work)
        async with node.clock.timeout(20):
            while call not in driver.calls():
                await node.clock.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        driver.heal()
        await node.restart()
        if goes_on and call in WAY:
            await node.set_up(user())
            assert node.mounter.is_mounted(node.at(user(), "csi") / "mount")
            await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.calls()[-1] == BACK[1]
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


@pytest.mark.parametrize(("call", "step"), [(WAY[0], "MountVolume.MountDevice"), (WAY[1], "MountVolume.SetUp")])
def test_a_driver_that_says_no_for_good_is_not_asked_to_take_it_back(tmp_path: Path, call: str, step: str) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        driver.fail(call, grpc.StatusCode.NOT_FOUND, "no such disk")
        assert await refused(node, user()) == (
            f'{step} failed for volume "pv1" : rpc error: code = NotFound desc = no such disk'
        )
        await node.volumes.tear_down("uid-web")
        assert [name for name in driver.calls() if name in BACK] == ([BACK[1]] if call == WAY[1] else [])
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


@pytest.mark.parametrize(("call", "restart"), [(WAY[0], True), (WAY[1], False), (WAY[1], True)])
@pytest.mark.parametrize("seen", [True, False])
def test_a_driver_that_says_no_later_has_still_done_what_it_did(
    tmp_path: Path, call: str, *, restart: bool, seen: bool
) -> None:
    """A kubelet that starts again asks anew, and some drivers want that always. Not `seen`: it is no mount."""

    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.wish(requiresRepublish=True)
        path = (await node.set_up(user()))["v"].path
        mounted = dict(node.fake_mounter.mounted)
        if restart:
            await node.restart()
        if not seen:
            node.fake_mounter.mounted.clear()
        driver.fail(call, grpc.StatusCode.INTERNAL, "token expired")
        told = await refused(node, user())
        assert told.endswith(' failed for volume "pv1" : rpc error: code = Internal desc = token expired')
        driver.heal()
        assert path.is_dir()
        node.fake_mounter.mounted.update(mounted)
        await node.volumes.tear_down("uid-web")
        assert driver.calls()[-2:] == BACK
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


@pytest.mark.parametrize("call", WAY)
def test_a_driver_that_may_have_done_it_is_asked_to_take_it_back(tmp_path: Path, call: str) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        driver.fail(call, grpc.StatusCode.DEADLINE_EXCEEDED, "busy", after=True)
        assert "DeadlineExceeded" in await refused(node, user())
        await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.calls()[-1] == BACK[1]
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_what_the_driver_keeps_stays_known(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user())
        driver.fail(BACK[0], grpc.StatusCode.INTERNAL, "busy")
        with pytest.raises(VolumeError) as told:
            await node.volumes.tear_down("uid-web")
        assert str(told.value) == (
            'UnmountVolume.TearDown failed for volume "v" : kubernetes.io/csi: Unmounter.TearDownAt failed: '
            "rpc error: code = Internal desc = busy"
        )
        assert node.mounter.is_mounted(node.at(user(), "csi") / "mount")
        assert node.storage.users.attachable() == [KEY]
        driver.heal()
        await node.volumes.tear_down("uid-web")
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_a_driver_that_lies_of_having_unmounted(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        path = (await node.set_up(user()))["v"].path
        await node.restart()
        driver.forgetful = True
        with pytest.raises(VolumeError, match="mount is still mounted"):
            await node.volumes.tear_down("uid-web")
        assert node.mounter.is_mounted(path)

    serve(tmp_path, story, STAGES)


def test_a_driver_that_is_not_there(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        await node.set_up(user())
        await node.storage.drivers.close()
        # Who has its volume keeps it; who wants one waits, and so does who wants to let go.
        await node.set_up(user())
        missing = f"driver name {NAME} not found in the list of registered CSI drivers"
        assert await refused(node, user("other")) == (
            'MountVolume.MountDevice failed for volume "pv1" : kubernetes.io/csi: attacher.MountDevice failed to '
            f"create newCsiDriverClient: {missing}"
        )
        with pytest.raises(VolumeError, match=missing):
            await node.volumes.tear_down("uid-web")

    serve(tmp_path, story, STAGES)


def test_one_driver_that_hangs_keeps_no_other(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.api.bind("data2", "pv2", csi={"driver": "other.example.com", "volumeHandle": "h2"})
        node.api.drivers["other.example.com"] = {"spec": {"attachRequired": False}}
        driver.hang(WAY[0])
        stuck = asyncio.get_running_loop().create_task(node.set_up(user()))
        async with CsiDriver(tmp_path / "other", node.mounter, name="other.example.com") as other:
            await node.storage.drivers.add(other.name, str(other.socket))
            await node.set_up(user("b", claimed("data2")))
            await node.volumes.tear_down("uid-b")
            assert not stuck.done()
            stuck.cancel()
            await asyncio.wait([stuck])

    serve(tmp_path, story, STAGES)


def test_a_volume_is_mounted_when_it_is_attached(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.api.status = {"volumesInUse": [KEY]}
        task = asyncio.get_running_loop().create_task(node.set_up(user()))
        async with node.clock.timeout(20):
            while node.storage.users.unattached("uid-web") != ["v"]:
                await node.clock.sleep(0.01)
        assert node.storage.users.attachable() == [KEY]
        assert driver.calls() == []
        node.attach(attached=False)
        await node.clock.sleep(0.3)
        assert driver.calls() == []
        node.attach(attached=True)
        await task
        assert driver.calls() == WAY

    serve(tmp_path, story, STAGES)


def test_a_volume_that_is_never_attached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_volumes, "PATIENCE", 0.2)

    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.api.status = {}
        late = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v], "
        assert (await refused(node, user())).startswith(late)
        monkeypatch.undo()
        node.attach(attached=True)
        await node.set_up(user())
        assert node.storage.users.unattached("uid-web") == []

    serve(tmp_path, story)


@pytest.mark.parametrize(("meta", "status", "why"), [
    ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"attached": True}, "volume attachment is being deleted"),
    ({}, {"attached": False, "attachError": {"message": "no slot"}}, "no slot"),
    (None, {}, "volume h1 has GET error for volume attachment"),
])  # fmt: skip
def test_what_is_not_attached(tmp_path: Path, meta: dict[str, str] | None, status: dict[str, object], why: str) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        (name,) = node.api.attachments
        if meta is None:
            del node.api.attachments[name]
        else:
            node.api.attachments[name] = {"metadata": {"name": name, **meta}, "status": status}
        told = await refused(node, user())
        assert told.startswith(f'MountVolume.WaitForAttach failed for volume "pv1" : {why}')
        assert driver.calls() == []
        await node.volumes.tear_down("uid-web")
        assert node.nothing_left()

    serve(tmp_path, story, STAGES)


def test_a_driver_that_needs_no_attaching(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.api.attachments.clear()
        node.api.status = {}
        node.wish(attachRequired=False)
        await node.set_up(user())
        assert node.storage.users.attachable() == []
        assert "publish_context" not in driver.requests(WAY[1])[0]
        await node.volumes.tear_down("uid-web")

    serve(tmp_path, story, STAGES)


def test_what_a_driver_is_told_of_pods_and_secrets(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        reference = {"name": "s", "namespace": "default"}
        node.bind_csi({"nodeStageSecretRef": reference, "nodePublishSecretRef": reference})
        node.wish(
            podInfoOnMount=True, tokenRequests=[{"audience": "vault"}, {"audience": "", "expirationSeconds": 600}]
        )
        assert await refused(node, user()) == (
            'MountVolume.SetUp failed for volume "pv1" : fetching NodeStageSecretRef default/s failed: '
            'secrets "s" not found'
        )
        node.objects.secrets["s"] = {"data": {"key": "dmFsdWU="}}
        await node.set_up(user("web", serviceAccountName="robot"))
        assert dict(driver.requests(WAY[0])[0]["secrets"]) == {"key": "value"}
        publish = driver.requests(WAY[1])[0]
        assert dict(publish["secrets"]) == {"key": "value"}
        told = dict(publish["volume_context"])
        tokens = json.loads(told.pop("csi.storage.k8s.io/serviceAccount.tokens"))
        assert sorted(tokens) == ["", "vault"]
        assert sorted(tokens["vault"]) == ["expirationTimestamp", "token"]
        assert sorted(one["expirationSeconds"] for one in node.objects.tokens) == [600, 3600]
        assert told == {
            "csi.storage.k8s.io/pod.name": "web", "csi.storage.k8s.io/pod.namespace": "default",
            "csi.storage.k8s.io/pod.uid": "uid-web", "csi.storage.k8s.io/serviceAccount.name": "robot",
            "csi.storage.k8s.io/ephemeral": "false",
        }  # fmt: skip

    serve(tmp_path, story, STAGES)


def test_tokens_among_secrets(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.wish(tokenRequests=[{"audience": "vault"}], serviceAccountTokenInSecrets=True)
        await node.set_up(user())
        publish = driver.requests(WAY[1])[0]
        assert list(publish["secrets"]) == ["csi.storage.k8s.io/serviceAccount.tokens"]
        assert "volume_context" not in publish

    serve(tmp_path, story)


def test_a_driver_that_wants_to_be_asked_again(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.wish(requiresRepublish=True)
        for _ in range(3):
            await node.set_up(user())
        assert driver.calls() == [WAY[0], *[WAY[1]] * 3]

    serve(tmp_path, story, STAGES)


@pytest.mark.parametrize(("can", "given"), [((), Ownership.WALK), (("VOLUME_MOUNT_GROUP",), Ownership.NONE)])
def test_who_gives_the_volume_to_the_pods_group(tmp_path: Path, can: tuple[str, ...], given: Ownership) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        of = user("web", securityContext={"fsGroup": os.getgid()})
        for _ in range(2):
            assert (await node.set_up(of))["v"].fs_group is given
        group = driver.requests(WAY[1])[0]["volume_capability"].mount.volume_mount_group
        assert group == (str(os.getgid()) if can else "")

    serve(tmp_path, story, STAGES, *can)


def test_a_volume_that_is_read_only(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        of = user("web", claimed(read_only=True), securityContext={"fsGroup": 1})
        found = (await node.set_up(of))["v"]
        assert (found.read_only, found.fs_group) == (True, Ownership.NONE)
        assert driver.requests(WAY[1])[0]["readonly"]

    serve(tmp_path, story)


def test_a_source_that_is_read_only_is_for_who_attaches_it(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi({"readOnly": True})
        assert not (await node.set_up(user()))["v"].read_only
        assert "readonly" not in driver.requests(WAY[1])[0]

    serve(tmp_path, story)


def test_a_volume_as_a_device(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi(volumeMode="Block")
        of = user("web", containers=[{"name": "app", "volumeDevices": [{"name": "v", "devicePath": "/dev/x"}]}])
        found = (await node.set_up(of))["v"]
        devices = node.layout.root / "plugins/kubernetes.io/csi/volumeDevices"
        assert (found.device, found.path) == (True, devices / "publish/pv1/uid-web")
        assert driver.requests(WAY[0])[0]["staging_target_path"] == str(devices / "staging/pv1")
        assert driver.requests(WAY[1])[0]["volume_capability"].HasField("block")
        await node.restart()
        await node.volumes.tear_down("uid-web")
        assert driver.calls() == WAY + BACK
        assert node.nothing_left()
        driver.fail(WAY[0], grpc.StatusCode.INTERNAL, "no")
        assert (await refused(node, of)).startswith('MapVolume.SetUpDevice failed for volume "pv1" : rpc error')

    serve(tmp_path, story, STAGES)


def test_a_driver_of_pods_own_volumes_alone(tmp_path: Path) -> None:
    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        node.wish(volumeLifecycleModes=["Ephemeral"])
        assert await refused(node, user()) == (
            'MountVolume.NewMounter initialization failed for volume "pv1" : volume mode "Persistent" not supported '
            f'by driver {NAME} (only supports ["Ephemeral"])'
        )

    serve(tmp_path, story)


def test_files_are_really_there_and_really_the_groups(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")

    async def story(node: CsiStation, driver: CsiDriver) -> None:
        node.bind_csi()
        (driver.volume("h1") / "file").write_text("hello")
        path = (await node.set_up(user("a", securityContext={"fsGroup": 4321})))["v"].path
        found = (path / "file").stat()
        assert (found.st_gid, found.st_mode & 0o660) == (4321, 0o660)
        other = (await node.set_up(user("b")))["v"].path
        assert (other / "file").read_text() == "hello"
        await node.restart()
        for uid in ("uid-a", "uid-b"):
            await node.volumes.tear_down(uid)
        assert node.nothing_left()
        assert (driver.volume("h1") / "file").read_text() == "hello"

    serve(tmp_path, story, STAGES, mounter=Mounts())
