"""Thresholds as configuration writes them. Upstream: pkg/kubelet/eviction/helpers_test.go, TestParseThresholdConfig."""

import pytest

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.kubelet.eviction.thresholds import Amount, Threshold, of_pods, parse


def test_amounts_and_shares() -> None:
    hard, soft = parse(
        {"memory.available": "150Mi", "nodefs.available": "0%", "imagefs.available": "100%"},
        {"nodefs.inodesFree": "12.5%"}, {"nodefs.inodesFree": 30}, {"nodefs.inodesFree": "25%"},
    )  # fmt: skip
    assert hard == Threshold("memory.available", Amount(parse_quantity("150Mi")))
    assert soft == Threshold("nodefs.inodesFree", Amount(share=0.125), 30.0, Amount(share=0.25))
    assert (hard.hard, soft.hard) == (True, False)
    assert str(hard.limit(0)) == "150Mi"
    assert soft.limit(1000).value() == 125
    assert soft.limit(1000, reclaimed=True).value() == 375


def test_a_share_is_as_exact_as_upstreams() -> None:
    """A tenth is a little more than that: this node's pods may have 76224326324 of 83873772Ki, as many have seen."""
    (tenth,) = parse({"nodefs.available": "10%"}, {}, {}, {})
    size = 83873772 * 1024
    assert size - tenth.limit(size).value() - (1 << 30) == 76224326324


@pytest.mark.parametrize(
    ("hard", "soft", "grace", "reclaim", "why"),
    [
        ({"mem": "1"}, {}, {}, {}, "unsupported eviction signal mem"),
        ({}, {"mem": "1"}, {}, {}, "unsupported eviction signal mem"),
        ({}, {}, {"mem": 1}, {}, "unsupported eviction signal mem"),
        ({}, {}, {}, {"mem": "1"}, "unsupported eviction signal mem"),
        ({"pid.available": "-1%"}, {}, {}, {}, "eviction percentage threshold pid.available must be >= 0%: -1%"),
        ({"pid.available": "101%"}, {}, {}, {}, "eviction percentage threshold pid.available must be <= 100%: 101%"),
        ({"pid.available": "0"}, {}, {}, {}, "eviction threshold pid.available must be positive: 0"),
        ({"pid.available": "-1Ki"}, {}, {}, {}, "eviction threshold pid.available must be positive: -1Ki"),
        ({}, {"pid.available": "1"}, {}, {}, "grace period must be specified for the soft eviction threshold"),
        ({}, {"pid.available": "1"}, {"pid.available": -1}, {}, "invalid eviction grace period specified: -1s"),
        ({}, {}, {}, {"pid.available": "-1"}, "negative eviction minimum reclaim specified for pid.available"),
        ({}, {}, {}, {"pid.available": "0%"}, "eviction percentage minimum reclaim pid.available must be positive: 0%"),
    ],
)
def test_what_makes_no_sense_is_refused(
    hard: dict[str, str], soft: dict[str, str], grace: dict[str, float], reclaim: dict[str, str], why: str
) -> None:
    with pytest.raises(ValueError, match=why.replace("+", r"\+")):
        parse(hard, soft, grace, reclaim)


def test_the_memory_of_all_pods_has_the_hard_thresholds_of_the_nodes() -> None:
    found = parse({"memory.available": "1Gi", "pid.available": "5"}, {"memory.available": "2Gi"},
                  {"memory.available": 30}, {"memory.available": "1Mi"})  # fmt: skip
    (copy,) = of_pods(found)
    assert copy == Threshold("allocatableMemory.available", found[0].amount, 0.0, Amount(parse_quantity("1Mi")))
