"""What a LimitRange allows. Source: plugin/pkg/admission/limitranger/admission_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.limit_range.bounds import refusals_of_claim, refusals_of_pod

Amounts = dict[str, str]


def one(item: str = "Container", **bounds: Amounts) -> dict[str, Any]:
    return {"spec": {"limits": [{"type": item, **bounds}]}}


def container(request: str = "", limit: str = "", name: str = "c", **more: Any) -> dict[str, Any]:
    stated = {"requests": request, "limits": limit}
    return {"name": name, "resources": {kind: {"cpu": amount} for kind, amount in stated.items() if amount}, **more}


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


LEAST, MOST, RATIO = one(min={"cpu": "100m"}), one(max={"cpu": "1"}), one(maxLimitRequestRatio={"cpu": "2500m"})
POD_LEAST, POD_MOST = one("Pod", min={"cpu": "1"}), one("Pod", max={"cpu": "2"})
UNSAID = "cpu max limit to request ratio per Container is 2500m, but no"


@pytest.mark.parametrize(
    ("limits", "found", "said"),
    [
        (LEAST, pod(container("100m", "100m")), []),
        (LEAST, pod(container()), ["minimum cpu usage per Container is 100m.  No request is specified"]),
        (LEAST, pod(container("50m", "1")), ["minimum cpu usage per Container is 100m, but request is 50m"]),
        (LEAST, pod(container("100m", "50m")), ["minimum cpu usage per Container is 100m, but limit is 50m"]),
        (MOST, pod(container("1", "1")), []),
        (MOST, pod(container("1")), ["maximum cpu usage per Container is 1.  No limit is specified"]),
        (MOST, pod(container("1", "2")), ["maximum cpu usage per Container is 1, but limit is 2"]),
        (MOST, pod(container("2", "1")), ["maximum cpu usage per Container is 1, but request is 2"]),
        (MOST, pod(initContainers=[container("1", "2")]), ["maximum cpu usage per Container is 1, but limit is 2"]),
        (RATIO, pod(container("1", "2500m")), []),
        (RATIO, pod(container("", "1")), [f"{UNSAID} request is specified or request is 0"]),
        (RATIO, pod(container("0", "1")), [f"{UNSAID} request is specified or request is 0"]),
        (RATIO, pod(container("1")), [f"{UNSAID} limit is specified or limit is 0"]),
        (RATIO, pod(container("1", "3")),
         ["cpu max limit to request ratio per Container is 2500m, but provided ratio is 3.000000"]),
        (POD_MOST, pod(container("1", "1"), container("1", "1", "d")), []),
        (POD_MOST, pod(container("1", "1"), container("1", "2", "d")),
         ["maximum cpu usage per Pod is 2, but limit is 3"]),
        (POD_MOST, pod(container("1", "1"), initContainers=[container("1", "3")]),
         ["maximum cpu usage per Pod is 2, but limit is 3"]),
        (POD_MOST, pod(container("1", "1"), initContainers=[container("1", "2", restartPolicy="Always")]),
         ["maximum cpu usage per Pod is 2, but limit is 3"]),
        (POD_MOST, pod(container("3", "3"), resources={"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}), []),
        (POD_LEAST, pod(container("500m", "1"), container("400m", "1", "d")),
         ["minimum cpu usage per Pod is 1, but request is 900m"]),
        (one(min={"memory": "1Gi", "cpu": "1"}), pod(container("1", "1")),
         ["minimum memory usage per Container is 1Gi.  No request is specified"]),
        (one("PersistentVolumeClaim", max={"storage": "1Gi"}), pod(container()), []),
    ],
)  # fmt: skip
def test_a_pod(limits: Any, found: Any, said: list[str]) -> None:
    assert refusals_of_pod(limits, found, None) == said


def test_what_a_resize_leaves_as_it_was_is_not_looked_at() -> None:
    stored = pod(container("1", "2"), container("50m", "1", "d"))
    assert len(refusals_of_pod(MOST, stored, None)) == 1
    assert refusals_of_pod(MOST, stored, stored) == []
    grown = pod(container("1", "2"), container("50m", "3", "d"))
    assert refusals_of_pod(MOST, grown, stored) == ["maximum cpu usage per Container is 1, but limit is 3"]
    assert refusals_of_pod(POD_MOST, grown, stored) == ["maximum cpu usage per Pod is 2, but limit is 5"]
    assert refusals_of_pod(POD_MOST, stored, stored) == []


STORAGE = one("PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "10Gi"})


def claim(storage: str = "") -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": storage} if storage else {}}}}


@pytest.mark.parametrize(
    ("found", "old", "said"),
    [
        (claim("1Gi"), None, []),
        (claim("500Mi"), None, ["minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"]),
        (claim("11Gi"), None, ["maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi"]),
        (claim(), None, ["minimum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified",
                         "maximum storage usage per PersistentVolumeClaim is 10Gi.  No request is specified"]),
        (claim("11Gi"), claim("11Gi"), []),
        (claim("12Gi"), claim("11Gi"),
         ["maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 12Gi"]),
    ],
)  # fmt: skip
def test_a_claim(found: Any, old: Any, said: list[str]) -> None:
    assert refusals_of_claim(STORAGE, found, old) == said
