"""For whom an image is that is on the node, as upstream's images/pullmanager has it."""

from pathlib import Path

import orjson
import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.images.credentials import Credential, Owner
from pilothouse.kubelet.images.policy import ImagePolicy, Verify
from pilothouse.kubelet.images.pull_records import PullRecords
from pilothouse.runtime.clock import SystemClock

BOX, ID = "r.example/team/box:1", "sha256:box"
KEY = {"username": "u", "password": "p"}
MINE = Credential(KEY, secret=Owner("1", "shop", "mine"))
SAME_OBJECT = Credential({"username": "u", "password": "new"}, secret=Owner("1", "shop", "mine"))
SAME_WORDS = Credential(KEY, secret=Owner("2", "office", "copy"))
OTHER = Credential({"username": "v", "password": "q"}, secret=Owner("3", "office", "other"))
ACCOUNT = Credential(KEY, account=Owner("4", "shop", "default"))
OTHER_ACCOUNT = Credential(KEY, account=Owner("5", "shop", "default"))
NODES = Credential(KEY)


def records(root: Path, verify: Verify = Verify.NOT_PRELOADED, *listed: str) -> PullRecords:
    return PullRecords(root, ImagePolicy(verify=verify, allowlist=listed), SystemClock())


def pulled(root: Path, credential: Credential | None, image: str = BOX) -> PullRecords:
    """Records after a pull."""
    found = records(root)
    found.begin(image)
    found.end(image, ID, credential)
    return found


def files(root: Path, kind: str) -> list[JsonObject]:
    return [orjson.loads(path.read_bytes()) for path in sorted((root / "image_manager" / kind).glob("*"))]


@pytest.mark.parametrize(("used", "shown", "must"), [
    (None, None, False), (None, OTHER, False), (NODES, None, False),
    (MINE, None, True), (MINE, MINE, False), (MINE, SAME_OBJECT, False), (MINE, SAME_WORDS, False), (MINE, OTHER, True),
    (MINE, ACCOUNT, True), (MINE, NODES, True),
    (ACCOUNT, None, True), (ACCOUNT, ACCOUNT, False), (ACCOUNT, OTHER_ACCOUNT, True), (ACCOUNT, MINE, True),
])  # fmt: skip
def test_who_must_pull(tmp_path: Path, used: Credential | None, shown: Credential | None, must: bool) -> None:
    pulled(tmp_path, used)
    # As the next kubelet finds it.
    assert records(tmp_path).must_pull(BOX, ID, [shown] if shown else []) is must


@pytest.mark.parametrize("fits", [SAME_OBJECT, SAME_WORDS])
def test_what_fits_is_noted_and_counts_from_then_on(tmp_path: Path, fits: Credential) -> None:
    found = pulled(tmp_path, MINE)
    found.must_pull(BOX, ID, [fits])
    also = Credential(fits.auth, secret=Owner("9", "else", "where"))
    assert found.must_pull(BOX, ID, [also]) is False
    assert found.must_pull(BOX, ID, [OTHER]) is True


def test_another_name_for_it_must_be_shown_for_too(tmp_path: Path) -> None:
    found = pulled(tmp_path, None)
    assert found.must_pull("r.example/team/box@sha256:0", ID, []) is False
    assert found.must_pull("r.example/other:1", ID, []) is True


@pytest.mark.parametrize(("verify", "listed", "ours", "must"), [
    (Verify.NEVER, (), True, False), (Verify.ALWAYS, (), False, True),
    (Verify.NOT_PRELOADED, (), False, False), (Verify.NOT_PRELOADED, (), True, True),
    (Verify.NOT_ALLOWLISTED, (), False, True), (Verify.NOT_ALLOWLISTED, ("r.example/team/box",), False, False),
    (Verify.NOT_ALLOWLISTED, ("r.example/team/*",), False, False),
    (Verify.NOT_ALLOWLISTED, ("r.example/*",), True, True),
    (Verify.NOT_ALLOWLISTED, ("r.example/tea",), False, True),
])  # fmt: skip
def test_policies(tmp_path: Path, verify: Verify, listed: tuple[str, ...], ours: bool, must: bool) -> None:
    if ours:
        pulled(tmp_path, MINE)
    assert records(tmp_path, verify, *listed).must_pull(BOX, ID, []) is must


def test_what_is_written_down(tmp_path: Path) -> None:
    found = records(tmp_path)
    found.begin(BOX)
    assert files(tmp_path, "pulling") == [
        {"kind": "ImagePullIntent", "apiVersion": "kubelet.config.k8s.io/v1beta1", "image": BOX}
    ]
    found.end(BOX, ID, MINE)
    assert files(tmp_path, "pulling") == []
    (record,) = files(tmp_path, "pulled")
    assert record["lastUpdatedTime"].endswith("Z")
    assert {**record, "lastUpdatedTime": ""} == {
        "kind": "ImagePulledRecord", "apiVersion": "kubelet.config.k8s.io/v1beta1", "lastUpdatedTime": "",
        "imageRef": ID, "credentialMapping": {"r.example/team/box": {"kubernetesSecrets": [
            {"uid": "1", "namespace": "shop", "name": "mine", "credentialHash": MINE.hash},
        ]}},
    }  # fmt: skip


def test_a_pull_without_credentials_opens_it_to_all(tmp_path: Path) -> None:
    pulled(tmp_path, MINE)
    pulled(tmp_path, ACCOUNT)
    assert records(tmp_path).must_pull(BOX, ID, [MINE]) is False
    assert records(tmp_path).must_pull(BOX, ID, [ACCOUNT]) is False
    assert pulled(tmp_path, None).must_pull(BOX, ID, []) is False
    assert pulled(tmp_path, MINE).must_pull(BOX, ID, []) is False


def test_a_pull_that_failed_leaves_nothing(tmp_path: Path) -> None:
    found = records(tmp_path)
    found.begin(BOX)
    found.begin(BOX)
    found.end(BOX)
    assert len(files(tmp_path, "pulling")) == 1
    found.end(BOX)
    assert (files(tmp_path, "pulling"), files(tmp_path, "pulled")) == ([], [])
    assert found.must_pull(BOX, ID, []) is False


def test_what_was_being_pulled_when_a_kubelet_died(tmp_path: Path) -> None:
    for name in (BOX, "r.example/gone:1"):
        records(tmp_path).begin(name)
    found = records(tmp_path)
    assert found.must_pull(BOX, ID, []) is True
    found.adopt([Image(ID, (BOX,)), Image("sha256:other", ("r.example/other:1",))])
    assert [one["image"] for one in files(tmp_path, "pulling")] == ["r.example/gone:1"]
    assert [one["credentialMapping"] for one in files(tmp_path, "pulled")] == [{}]
    assert found.must_pull(BOX, ID, [MINE]) is True
    found.begin(BOX)
    found.adopt([Image(ID, (BOX,))])
    assert len(files(tmp_path, "pulling")) == 2


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    found = pulled(tmp_path, MINE)
    now = SystemClock().now()
    found.prune([], now - 10)
    found.prune([Image(ID)], now + 10)
    assert len(files(tmp_path, "pulled")) == 1
    found.prune([], now + 10)
    assert files(tmp_path, "pulled") == []


def test_what_cannot_be_read_opens_nothing(tmp_path: Path) -> None:
    found = pulled(tmp_path, None)
    (path,) = (tmp_path / "image_manager" / "pulled").iterdir()
    path.write_text("{")
    assert found.must_pull(BOX, ID, []) is True
