"""Labels and taints as flags: what they stand for, and what upstream's kubelet refuses.

*Assumed*: the words for taints that are none.
"""

import pytest

from pilothouse.kubelet.registration import parse_labels, parse_taints

ALLOWED = (
    "--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix (kubelet.kubernetes.io, "
    "node.kubernetes.io) or be in the specifically allowed set (beta.kubernetes.io/arch, "
    "beta.kubernetes.io/instance-type, beta.kubernetes.io/os, failure-domain.beta.kubernetes.io/region, "
    "failure-domain.beta.kubernetes.io/zone, kubernetes.io/arch, kubernetes.io/hostname, kubernetes.io/os, "
    "node.kubernetes.io/instance-type, topology.kubernetes.io/region, topology.kubernetes.io/zone)"
)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        (" a=b , example.com/c = d ,", {"a": "b", "example.com/c": "d"}),
        ("flag", {"flag": ""}),
        ("node.kubernetes.io/x=1,sub.kubelet.kubernetes.io/y=2,topology.kubernetes.io/zone=z",
         {"node.kubernetes.io/x": "1", "sub.kubelet.kubernetes.io/y": "2", "topology.kubernetes.io/zone": "z"}),
        ("notkubernetes.io/x=1", {"notkubernetes.io/x": "1"}),
    ],
)  # fmt: skip
def test_labels(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("node-role.kubernetes.io/x=,k8s.io/a=b",
         ("unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: "
         f"[k8s.io/a node-role.kubernetes.io/x]\n{ALLOWED}")),
        ("node-restriction.kubernetes.io/x=1",
         ("unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: "
         f"[node-restriction.kubernetes.io/x]\n{ALLOWED}")),
    ],
)  # fmt: skip
def test_labels_that_are_not_a_kubelet_s(text: str, why: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_labels(text)
    assert str(refused.value) == why


def test_labels_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"^invalid node labels: 'a b' - name part must consist of"):
        parse_labels("a b=c")
    with pytest.raises(ValueError, match=r"^invalid node labels: 'c d' - a valid label must be"):
        parse_labels("a=c d")


@pytest.mark.parametrize(
    ("text", "taints"),
    [
        ("", []),
        ("a=b:NoSchedule", [{"key": "a", "value": "b", "effect": "NoSchedule"}]),
        ("a:NoExecute,a=b:PreferNoSchedule",
         [{"key": "a", "effect": "NoExecute"}, {"key": "a", "value": "b", "effect": "PreferNoSchedule"}]),
    ],
)  # fmt: skip
def test_taints(text: str, taints: list[dict[str, str]]) -> None:
    assert parse_taints(text) == taints


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "invalid taint spec: a$"),
        ("a=b", "invalid taint spec: a=b$"),
        ("a=b=c:NoSchedule", "invalid taint spec: a=b=c:NoSchedule$"),
        ("a:NoSchedule:x", "invalid taint spec: a:NoSchedule:x$"),
        ("a:Never", "invalid taint effect: Never, unsupported taint effect$"),
        ("a b:NoSchedule", "invalid taint spec: a b:NoSchedule, name part must consist of"),
        ("a=b:NoSchedule,a=c:NoSchedule", "duplicated taints with the same key and effect: a=c:NoSchedule$"),
    ],
)
def test_taints_that_are_none(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        parse_taints(text)
