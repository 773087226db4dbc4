"""A node that drives pods away."""

from typing import Any

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.taint_toleration import TaintToleration
from pilothouse.kubelet.admit_handler import Refusal

MESSAGE = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
DRIVES = {"key": "broken", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("taints", "spec", "taken"),
    [
        ([], {}, True),
        ([{"key": "broken", "effect": "NoSchedule"}], {}, True),
        ([DRIVES], {}, False),
        ([DRIVES], {"tolerations": [{"key": "broken", "operator": "Exists"}]}, True),
        ([DRIVES], {"tolerations": [{"key": "broken", "operator": "Exists", "effect": "NoSchedule"}]}, False),
        ([DRIVES], {"metadata": {"annotations": {"kubernetes.io/config.source": "file"}}}, True),
        ([DRIVES], {"status": {"startTime": "2030-01-01T00:00:00Z"}}, True),
    ],
    ids=["none", "not our business", "driven away", "tolerated", "another effect", "static", "begun before"],
)
def test_what_would_be_driven_away_is_refused(taints: list[Any], spec: dict[str, Any], taken: bool) -> None:
    status = spec.pop("status", None)
    pod = make(status=status, **spec)
    assert TaintToleration().refuse(pod, view(taints=taints)) == (
        None if taken else Refusal("TaintToleration", MESSAGE)
    )
