"""The node's configuration: a cluster's own defaults, and what `up` was told laid over them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_configuration import checked, document, kubelet_config
from pilothouse.cluster.node_places import containerd_as_started, containerd_config
from pilothouse.cluster.settings import Settings
from pilothouse.cluster.up import Wishes, _with_options
from pilothouse.kubelet.containerd import PAUSE_IMAGE
from pilothouse.linux.cgroups import Cgroups
from pilothouse.net.pki import KeyPair
from pilothouse.network.node_network import write_cni
from pilothouse.network.plan import plan

HOME = Home(Path("/home-of-it"))
SETTINGS = Settings(node_name="n1", advertise="192.0.2.1", kubelet_port=10260)
FOREIGN = {"flags": {"containerRuntimeEndpoint": "unix:///run/foreign.sock"}}


def told(**kubelet: Any) -> Settings:
    return replace(SETTINGS, kubelet=kubelet)


def test_a_cluster_s_own_defaults() -> None:
    config = kubelet_config(HOME, SETTINGS, KeyPair(b"", b""), b"")
    assert (config.node_name, config.address, config.port) == ("n1", "192.0.2.1", 10260)
    assert config.eviction.hard["nodefs.available"] == config.eviction.hard["imagefs.available"] == "5%"
    policy = config.image_policy
    assert (policy.high_threshold, policy.low_threshold, policy.at_once) == (95, 90, 5)
    assert policy.kept == (PAUSE_IMAGE,)
    assert (config.cluster_dns, config.cluster_domain) == (("10.96.0.10",), "cluster.local")
    assert config.static_pods.path == HOME.node / "manifests"
    assert config.logs == HOME.node / "logs"
    assert config.cgroup_root == f"/pilothouse-{HOME.cluster}"
    assert config.certificates.rotate_certificates
    assert config.snapshots == HOME.node / "run" / "containerd.sock"
    assert config.runtime.endpoint == f"unix://{config.snapshots}"
    assert config.no_effect == {}
    assert document(HOME, SETTINGS)["failCgroupV1"] is False


def test_what_up_was_told() -> None:
    settings = told(
        file={"maxPods": 5, "imageGCHighThresholdPercent": 85, "podsPerCore": 2},
        further=[{"evictionHard": {"pid.available": "1"}}], flags={"maxPods": 6}, labels={"a": "b"},
    )  # fmt: skip
    config = kubelet_config(HOME, settings, KeyPair(b"", b""), b"")
    assert (config.max_pods, dict(config.node_labels), config.no_effect) == (6, {"a": "b"}, {"podsPerCore": 2})
    assert (config.image_policy.high_threshold, config.image_policy.low_threshold) == (85, 80)
    assert (config.eviction.hard["pid.available"], config.eviction.hard["nodefs.available"]) == ("1", "5%")


def test_a_runtime_of_somebody_else_s() -> None:
    settings = checked(HOME, told(**FOREIGN))
    assert settings.runtime_endpoint == "unix:///run/foreign.sock"
    config = kubelet_config(HOME, settings, KeyPair(b"", b""), b"")
    assert (config.runtime.endpoint, config.snapshots) == ("unix:///run/foreign.sock", None)
    assert config.image_policy.kept == ()
    assert checked(HOME, replace(settings, kubelet={})).runtime_endpoint == "", "taken back"


def test_mirrors_are_of_the_node_s_own_runtime() -> None:
    settings = _with_options(SETTINGS, Wishes(registry_mirrors="/mirrors"))
    assert containerd_config(HOME, settings.registry_mirrors).mirrors == Path("/mirrors")
    assert _with_options(settings, Wishes()) == settings, "said once"
    assert (
        containerd_config(HOME, _with_options(settings, Wishes(registry_mirrors="")).registry_mirrors).mirrors is None
    )
    with pytest.raises(ClusterError, match="--registry-mirrors is of the node's own containerd"):
        checked(HOME, replace(settings, kubelet=FOREIGN))
    with pytest.raises(ClusterError, match="need a node"):
        _with_options(replace(SETTINGS, node=False), Wishes(registry_mirrors="/mirrors"))


def test_a_network_s_configuration_of_another_cluster_stays(tmp_path: Path) -> None:
    settings = replace(told(**FOREIGN), cni_conf_dir=str(tmp_path))
    for home in (HOME, Home(Path("/another"))):
        write_cni(plan(home.cluster, "10.244.0.0/24", "10.96.0.10"), tmp_path, home.node / "addresses")
        if home is HOME:
            assert checked(HOME, settings).cni_conf_dir == str(tmp_path)
    with pytest.raises(ClusterError, match=r"10-pilothouse.conflist is of another cluster: .*--cni-conf-dir$"):
        checked(HOME, settings)


def test_what_is_removed_is_met_as_it_was_started(tmp_path: Path) -> None:
    settings = replace(SETTINGS, registry_mirrors=str(tmp_path / "mirrors"))
    assert containerd_as_started(HOME, settings) == containerd_config(HOME), "gone meanwhile"
    (tmp_path / "mirrors").mkdir()
    assert containerd_as_started(HOME, settings) == containerd_config(HOME, str(tmp_path / "mirrors"))
    assert containerd_as_started(HOME, SETTINGS) == containerd_config(HOME)


def test_one_that_a_file_names() -> None:
    settings = checked(HOME, told(file={"containerRuntimeEndpoint": "unix:///run/b.sock"}))
    assert settings.runtime_endpoint == "unix:///run/b.sock"


@pytest.mark.parametrize(
    ("kubelet", "why"),
    [
        ({"file": {"maxPods": -1, "port": -1}},
         (r"failed to validate kubelet configuration, error: \[invalid configuration: maxPods .*, invalid "
         r"configuration: port .*\]$")),
        ({"file": {"evictionSoft": {"memory.available": "1Gi"}}}, "failed to run Kubelet: .*grace period"),
        ({"further": [{"maxPods": "x"}]}, "failed to merge kubelet configs"),
        ({"file": {"imageServiceEndpoint": "tcp://a:1"}}, "failed to run Kubelet: only support unix socket endpoint"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_by_up(kubelet: dict[str, Any], why: str) -> None:
    with pytest.raises(ClusterError, match=why):
        checked(HOME, told(**kubelet))


def test_old_control_groups_are_refused_where_somebody_wants_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))
    checked(HOME, SETTINGS)
    with pytest.raises(ClusterError, match="kubelet is configured to not run on a host using cgroup v1"):
        checked(HOME, told(file={"failCgroupV1": True}))
