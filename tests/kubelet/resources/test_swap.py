"""Who may be swapped out, and how much of it, as upstream's kuberuntime_container_linux_test.go has it."""

from typing import Any

import pytest

from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.resources.swap import LIMITED_SWAP, SwapFacts, SwapPolicy, swap_limits

GI = 1 << 30
LIMITED = SwapFacts(policy=SwapPolicy(behavior=LIMITED_SWAP), counted=True, v2=True, total=4 * GI, memory=16 * GI)
V1 = SwapFacts(policy=SwapPolicy(behavior=LIMITED_SWAP), counted=True, total=4 * GI, memory=16 * GI)
NOT_COUNTED = SwapFacts(policy=SwapPolicy(behavior=LIMITED_SWAP), v2=True, total=4 * GI, memory=16 * GI)
NO_SWAP = SwapFacts(counted=True, v2=True, total=4 * GI, memory=16 * GI)


def of(facts: SwapFacts, request: str = "", limit: str = "", **spec: Any) -> JsonObject:
    resources = {
        name: {"memory": text} for name, text in (("requests", request), ("limits", limit)) if text
    }  # fmt: skip
    made = pod(containers=[{"name": "a", "image": "a", "resources": resources}], **spec)
    return swap_limits(made, made.spec.containers[0], facts)


def share(size: int) -> JsonObject:
    return {"unified": {"memory.swap.max": str(size)}}


@pytest.mark.parametrize(("request_", "limit", "expected"), [
    ("1Gi", "", GI // 4), ("8Gi", "12Gi", 2 * GI), ("1Gi", "1Gi", 0), ("", "", 0), ("0", "1Gi", 0), ("32Gi", "", 0),
])  # fmt: skip
def test_a_burstable_pods_share(request_: str, limit: str, expected: int) -> None:
    assert of(LIMITED, request_, limit) == share(expected)


def test_guaranteed_pods_are_not_swapped_out() -> None:
    equal = {"cpu": "1", "memory": "1Gi"}
    made = pod(containers=[{"name": "a", "image": "a", "resources": {"requests": equal, "limits": equal}}])
    assert swap_limits(made, made.spec.containers[0], LIMITED) == share(0)


def test_critical_pods_are_not_swapped_out() -> None:
    assert of(LIMITED, "1Gi", priority=2_000_000_000) == share(0)


def test_nobody_is_by_default() -> None:
    assert of(NO_SWAP, "1Gi") == share(0)


def test_with_version_1_a_limit_of_memory_is_one_of_both() -> None:
    assert of(V1, "1Gi", "2Gi") == {"memory_swap_limit_in_bytes": 2 * GI}
    assert of(V1, "1Gi") == {}


def test_where_the_kernel_does_not_count_nothing_is_said() -> None:
    assert of(NOT_COUNTED, "1Gi") == of(SwapFacts(), "1Gi", "2Gi") == {}


def test_settings_that_are_none() -> None:
    with pytest.raises(ValueError, match=r'^invalid configuration: memorySwap.swapBehavior "UnlimitedSwap" must be'):
        SwapPolicy(behavior="UnlimitedSwap")
