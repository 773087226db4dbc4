"""What `up` is told of the kubelet: kept for later starts, changed piece by piece, refused at once."""

from pathlib import Path
from typing import Any

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.kubelet_options import NOTHING_SAID, KubeletWords, kubelet_options, node_address, node_name

HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


def test_nothing_said_changes_nothing() -> None:
    assert kubelet_options({}, NOTHING_SAID) == {}
    before = {"file": {"maxPods": 1}, "labels": {"a": "b"}, "flags": {"maxPods": 2}}
    assert kubelet_options(before, NOTHING_SAID) == before


def test_a_number_of_pods_is_taken_back() -> None:
    assert kubelet_options({"flags": {"maxPods": 2}}, KubeletWords(max_pods=0)) == {}


def test_files_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.yaml").write_text(HEAD + "maxPods: 7\nstaticPodPath: pods\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text(HEAD + "maxPods: 8\n")
    kept = kubelet_options({}, KubeletWords(config="k.yaml", config_dir="more"))
    assert kept == {"file": {"maxPods": 7, "staticPodPath": str(tmp_path / "pods")}, "further": [{"maxPods": 8}]}
    assert kubelet_options(kept, KubeletWords(config="", config_dir="")) == {}


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (KubeletWords(endpoint="unix:///run/a.sock"), {"flags": {"containerRuntimeEndpoint": "unix:///run/a.sock"}}),
        (KubeletWords(max_pods=3), {"flags": {"maxPods": 3}}),
        (KubeletWords(labels="a=b"), {"labels": {"a": "b"}}),
        (KubeletWords(taints="a:NoSchedule"),
         {"flags": {"registerWithTaints": [{"key": "a", "effect": "NoSchedule"}]}}),
    ],
)  # fmt: skip
def test_flags(words: KubeletWords, kept: dict[str, Any]) -> None:
    assert kubelet_options({}, words) == kept
    assert kubelet_options(kept, KubeletWords(endpoint="", labels="", taints="")) == (
        kept if "maxPods" in kept.get("flags", {}) else {}
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (KubeletWords(config="/no/such/file"), "failed to read kubelet config file"),
        (KubeletWords(config_dir="/no/such/directory"), "failed to walk through kubelet dropin directory"),
        (KubeletWords(endpoint="tcp://a:1"),
         'invalid argument "tcp://a:1" for "--container-runtime-endpoint" flag: only support unix socket endpoint'),
        (KubeletWords(labels="k8s.io/a=b"), 'for "--node-labels" flag: unknown \'kubernetes.io\' or \'k8s.io\' labels'),
        (KubeletWords(taints="a"), 'invalid argument "a" for "--register-with-taints" flag: invalid taint spec: a'),
    ],
)  # fmt: skip
def test_what_cannot_be(words: KubeletWords, why: str) -> None:
    with pytest.raises(ClusterError) as refused:
        kubelet_options({}, words)
    assert why in str(refused.value)


def test_names() -> None:
    assert node_name(" Node-1.Example ") == "node-1.example"
    with pytest.raises(ClusterError, match="empty hostname is invalid"):
        node_name("  ")
    with pytest.raises(ClusterError, match='"a_b" cannot be a node\'s name'):
        node_name("a_b")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "is no IPv4 address"),
        ("127.0.0.1", "nodeIP can't be loopback address"),
        ("224.0.0.1", "nodeIP can't be a multicast address"),
        ("169.254.0.1", "nodeIP can't be a link-local unicast address"),
        ("0.0.0.0", "nodeIP can't be an all zeros address"),
        ("192.0.2.1", 'node IP: "192.0.2.1" not found in the host\'s network interfaces'),
    ],
)
def test_addresses(text: str, why: str) -> None:
    with pytest.raises(ClusterError, match=why):
        node_address(text, lambda _: False)


def test_an_address_of_ours() -> None:
    assert node_address("192.0.2.1", lambda address: address == "192.0.2.1") == "192.0.2.1"
