"""Whether a pod may run on this node at all."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.node_affinity import NodeAffinity
from pilothouse.kubelet.admit_handler import Refusal

MESSAGE = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"


def affinity(*terms: object) -> dict[str, object]:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


@pytest.mark.parametrize(
    ("spec", "taken"),
    [
        ({}, True),
        ({"nodeSelector": {"zone": "a"}}, True),
        ({"nodeSelector": {"zone": "b"}}, False),
        ({"affinity": affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]})}, True),
        ({"affinity": affinity({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]})}, False),
        ({"nodeSelector": {"zone": "b"}, "status": {"startTime": "2030-01-01T00:00:00Z"}}, True),
    ],
    ids=["no wish", "selected", "not selected", "by name", "by affinity", "begun before the label changed"],
)
def test_what_selects_other_nodes_is_refused(spec: dict[str, Any], taken: bool) -> None:
    status = spec.pop("status", None)
    pod = make(status=status, **spec)
    assert NodeAffinity().refuse(pod, view()) == (None if taken else Refusal("NodeAffinity", MESSAGE))
