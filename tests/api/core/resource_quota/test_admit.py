"""What fits into quotas. Source: apiserver/pkg/admission/plugin/resourcequota/admission_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.admit import Limited, Quota, QuotaError, admit
from pilothouse.api.core.resource_quota.evaluator import Change, read_amounts
from pilothouse.api.core.resource_quota.usage import evaluator_of

PODS, SERVICES, CLAIMS = (evaluator_of("", name) for name in ("pods", "services", "persistentvolumeclaims"))


def quota(hard: dict[str, str], used: dict[str, str] | None = None, name: str = "q", **spec: Any) -> Quota:
    counted = {**dict.fromkeys(hard, "0"), **(used or {})} if used is None or used else {}
    return Quota(name, {"hard": hard, **spec}, read_amounts(hard), read_amounts(counted))


def pod(requests: dict[str, str], limits: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c1", "resources": {"requests": requests, "limits": limits or {}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


def used(found: list[Quota]) -> list[dict[str, str]]:
    return [{name: str(amount) for name, amount in one.used.items()} for one in found]


def created(obj: dict[str, Any], *quotas: Quota, limited: tuple[Limited, ...] = ()) -> list[dict[str, str]]:
    return used(admit(quotas, PODS, Change("CREATE", obj), 0, limited))


def refused(obj: dict[str, Any], *quotas: Quota, limited: tuple[Limited, ...] = ()) -> str:
    with pytest.raises(QuotaError) as error:
        admit(quotas, PODS, Change("CREATE", obj), 0, limited)
    return str(error.value)


def test_what_fits_is_charged() -> None:
    both = quota({"pods": "2", "cpu": "2"}, {"pods": "1", "cpu": "500m"}), quota({"requests.memory": "2Gi"}, name="r")
    found = created(pod({"cpu": "1500m", "memory": "1Gi"}), *both)
    assert found == [{"pods": "2", "cpu": "2"}, {"requests.memory": "1Gi"}]


def test_what_does_not_fit_is_refused() -> None:
    full = quota({"cpu": "2", "pods": "1", "memory": "9Gi"}, {"cpu": "1", "pods": "1"})
    assert refused(pod({"cpu": "2", "memory": "1Gi"}), full) == (
        "exceeded quota: q, requested: cpu=2,pods=1, used: cpu=1,pods=1, limited: cpu=2,pods=1"
    )


def test_what_must_be_stated() -> None:
    limits = quota({"limits.cpu": "1", "limits.memory": "1Gi"})
    assert refused(pod({"cpu": "1"}), limits) == (
        "failed quota: q: must specify limits.cpu for: c1; limits.memory for: c1"
    )


def test_a_quota_that_is_not_counted_yet() -> None:
    uncounted = quota({"pods": "1", "cpu": "1", "services": "1"}, {})
    assert refused(pod({"cpu": "1"}), uncounted) == "status unknown for quota: q, resources: cpu,pods"
    assert created(pod({}), quota({"services": "1"}, {})) == [{}]


def test_a_quota_of_other_objects_does_not_count() -> None:
    best_effort = quota({"pods": "0"}, scopes=["BestEffort"])
    assert created(pod({"cpu": "1"}), best_effort) == [{"pods": "0"}]
    assert refused(pod({}), best_effort).startswith("exceeded quota: q, requested: pods=1")


def test_what_was_too_much_before_does_not_matter_for_other_resources() -> None:
    over = quota({"cpu": "1", "pods": "5"}, {"cpu": "3", "pods": "1"})
    assert created(pod({"cpu": "0"}), over) == [{"cpu": "3", "pods": "2"}]


def test_negative_usage() -> None:
    assert refused(pod({"cpu": "-1"}), quota({"cpu": "1"})) == (
        "quota usage is negative for resource(s): cpu,requests.cpu"
    )


def service(kind: str, ports: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, "spec": {"type": kind, "ports": [{"port": port + 1} for port in range(ports)]}}


def test_an_update_is_charged_for_what_it_uses_more() -> None:
    ports = quota({"services": "1", "services.nodeports": "2"}, {"services": "1", "services.nodeports": "1"})
    change = Change("UPDATE", service("NodePort", 2), service("NodePort"))
    assert used(admit([ports], SERVICES, change, 0)) == [{"services": "1", "services.nodeports": "2"}]
    less = Change("UPDATE", service("ClusterIP"), service("NodePort"))
    assert used(admit([ports], SERVICES, less, 0)) == [{"services": "1", "services.nodeports": "1"}]
    with pytest.raises(QuotaError, match=r"requested: services.nodeports=2, used: services.nodeports=1"):
        admit([ports], SERVICES, Change("UPDATE", service("NodePort", 3), service("NodePort")), 0)


def claim(storage: str, name: str = "", given: str = "") -> dict[str, Any]:
    spec = {"resources": {"requests": {"storage": storage}}, "volumeAttributesClassName": name}
    return {"metadata": {"name": "c"}, "spec": spec, "status": {"allocatedResources": {"storage": given or storage}}}


def test_a_quota_that_an_update_brings_the_object_to_is_charged_for_all() -> None:
    fast = {"matchExpressions": [{"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["fast"]}]}
    quotas = [quota({"requests.storage": "10Gi"}, scopeSelector=fast)]
    moved = admit(quotas, CLAIMS, Change("UPDATE", claim("5Gi", "fast"), claim("5Gi")), 0)
    assert used(moved) == [{"requests.storage": "5Gi"}]
    grown = admit(quotas, CLAIMS, Change("UPDATE", claim("6Gi", "fast"), claim("5Gi", "fast")), 0)
    assert used(grown) == [{"requests.storage": "1Gi"}]


def test_what_a_status_tells_is_charged_but_not_refused() -> None:
    full = quota({"requests.storage": "5Gi"}, {"requests.storage": "5Gi"})
    change = Change("UPDATE", claim("5Gi", given="7Gi"), claim("5Gi"), "status")
    assert used(admit([full], CLAIMS, change, 0)) == [{"requests.storage": "7Gi"}]


def test_what_is_limited_by_default_needs_a_quota() -> None:
    cpu = (Limited("", "pods", ("requests.cpu",)),)
    assert refused(pod({"cpu": "1"}), limited=cpu) == "insufficient quota to consume: requests.cpu"
    assert created(pod({"memory": "1Gi"}), limited=cpu) == []
    assert created(pod({"cpu": "1"}), quota({"requests.cpu": "1"}), limited=cpu) == [{"requests.cpu": "1"}]


def test_a_scope_that_is_limited_by_default_needs_a_quota() -> None:
    high = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    limited = (Limited("", "pods", (), (high,)),)
    important = pod({"cpu": "1"}, priorityClassName="high")
    assert refused(important, limited=limited) == (
        "insufficient quota to match these scopes: [{PriorityClass In [high]}]"
    )
    assert created(pod({"cpu": "1"}), limited=limited) == []
    covered = quota({"pods": "1"}, scopeSelector={"matchExpressions": [high]})
    assert created(important, covered, limited=limited) == [{"pods": "1"}]
