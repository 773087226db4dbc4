from typing import Any

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Endpoints, Pod, Service
from pilothouse.controllers.endpoints.subsets import plan_endpoints, plan_subsets, truncate

AT = 1_767_225_600.0
WEB = {"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}
DNS = {"name": "dns", "port": 53, "targetPort": 5353, "protocol": "UDP"}
SHOWN_WEB = {"name": "web", "port": 8080, "protocol": "TCP"}
SHOWN_DNS = {"name": "dns", "port": 5353, "protocol": "UDP"}


def _pod(name: str, *, ready: bool = True, going: bool = False, ips: tuple[str, ...] = (), port: int = 8080,
         **spec: Any) -> Pod:  # fmt: skip
    meta: dict[str, Any] = {"name": name, "namespace": "ns", "uid": f"uid-{name}"}
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ips = ips or (f"10.0.0.{ord(name[0]) - ord('a') + 1}",)
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    containers = [{"name": "c", "ports": [{"name": "http", "containerPort": port}]}]
    return Pod({
        "metadata": meta, "spec": {"nodeName": "n", "containers": containers, **spec},
        "status": {"phase": "Running", "podIPs": [{"ip": ip} for ip in ips], "conditions": conditions},
    })  # fmt: skip


def _service(*ports: JsonObject, labels: dict[str, str] | None = None, **spec: Any) -> Service:
    spec = {"clusterIP": "10.1.0.1", "ipFamilies": ["IPv4"], "ports": [*ports], **spec}
    return Service({"metadata": {"name": "web", "namespace": "ns", "labels": labels or {}}, "spec": spec})


def _short(subset: JsonObject) -> tuple[str, str, list[int]]:
    """The pods that are ready and those that are not, and the ports."""
    names = ["".join(a["targetRef"]["name"] for a in subset.get(s, ())) for s in ("addresses", "notReadyAddresses")]
    return names[0], names[1], [port["port"] for port in subset.get("ports", ())]


def test_an_address_says_whose_it_is() -> None:
    assert plan_subsets(_service(WEB, DNS), [_pod("a", hostname="first", subdomain="web")]) == [
        {
            "addresses": [
                {
                    "ip": "10.0.0.1",
                    "targetRef": {"kind": "Pod", "namespace": "ns", "name": "a", "uid": "uid-a"},
                    "nodeName": "n",
                    "hostname": "first",
                }
            ],
            "ports": [SHOWN_DNS, SHOWN_WEB],
        }
    ]


@pytest.mark.parametrize(
    ("service", "pods", "subsets"),
    [
        pytest.param(_service(WEB), [], [], id="nobody"),
        pytest.param(_service(WEB), [_pod("b"), _pod("a")], [("ab", "", [8080])], id="in order of addresses"),
        pytest.param(_service(WEB), [_pod("a"), _pod("b", ready=False)], [("a", "b", [8080])], id="not ready"),
        pytest.param(_service(WEB), [_pod("a", ready=False)], [("", "a", [8080])], id="none is ready"),
        pytest.param(_service(WEB), [_pod("a", going=True)], [], id="told to end"),
        pytest.param(_service(WEB, publishNotReadyAddresses=True),
                     [_pod("a", going=True), _pod("b", ready=False)], [("ab", "", [8080])], id="all are published"),
        pytest.param(_service(WEB), [_pod("a"), _pod("b", port=9090)], [("a", "", [8080]), ("b", "", [9090])],
                     id="other ports, other subsets"),
        pytest.param(_service(WEB, DNS), [_pod("a"), _pod("b", containers=[])],
                     [("ab", "", [5353]), ("a", "", [8080])], id="a port that one does not have"),
        pytest.param(_service(clusterIP="None"), [_pod("a")], [("a", "", [])], id="headless, without ports"),
        pytest.param(_service(WEB, ipFamilies=["IPv6"]), [_pod("a"), _pod("b", ips=("10.0.0.9", "fd00::1"))],
                     [("b", "", [8080])], id="the family of the Service"),
        pytest.param(_service(WEB, clusterIP="None", ipFamilies=[]), [_pod("a"), _pod("b", ips=("fd00::1",))],
                     [("ab", "", [8080])], id="no family: the first of the pod"),
        pytest.param(_service(WEB), [_pod("a", ips=("10.0.0.9",)), _pod("b", ips=("10.0.0.9",))],
                     [("ab", "", [8080])], id="one address, two pods"),
    ],
)  # fmt: skip
def test_subsets(service: Service, pods: list[Pod], subsets: list[Any]) -> None:
    assert [_short(subset) for subset in plan_subsets(service, pods)] == subsets


def _many(ready: int, others: int) -> JsonObject:
    fields = {"addresses": [{"ip": f"r{n}"} for n in range(ready)],
              "notReadyAddresses": [{"ip": f"n{n}"} for n in range(others)]}  # fmt: skip
    return {name: value for name, value in fields.items() if value}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([(6, 4)], None, id="as many as may be"),
        pytest.param([(6, 5)], [(6, 4)], id="of those not ready the first"),
        pytest.param([(12, 5)], [(10, 0)], id="more are ready than there is room for"),
        pytest.param([(3, 6), (2, 3)], [(3, 4), (2, 1)], id="each its share, rounded up"),
        pytest.param([(9, 0), (6, 0)], [(6, 0), (4, 0)], id="each its share of the ready"),
        pytest.param([(11, 0), (0, 3)], [(10, 0)], id="nothing left of one"),
    ],
)
def test_too_many_are_cut(before: list[tuple[int, int]], after: list[tuple[int, int]] | None) -> None:
    kept, cut = truncate([_many(*numbers) for numbers in before], 10)
    assert cut == (after is not None)
    counts = [(len(subset.get("addresses", ())), len(subset.get("notReadyAddresses", ()))) for subset in kept]
    assert counts == (after or before)


def _known(manifest: JsonObject, **annotations: str) -> Endpoints:
    meta = {**manifest["metadata"], "resourceVersion": "7"}
    meta["annotations"] = {**meta["annotations"], **annotations}
    return Endpoints({**manifest, "metadata": meta})


def test_the_object_carries_the_labels_of_its_service() -> None:
    made = plan_endpoints(_service(WEB, labels={"team": "blue"}), [_pod("a")], None, AT)
    assert made is not None
    assert made["metadata"] == {
        "name": "web",
        "namespace": "ns",
        "labels": {"team": "blue", "endpoints.kubernetes.io/managed-by": "endpoint-controller"},
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z"},
    }
    claims = _service(WEB, labels={"service.kubernetes.io/headless": ""})
    told = plan_endpoints(claims, [], None, None)
    assert told is not None
    assert told["metadata"]["labels"] == {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    headless = plan_endpoints(_service(clusterIP="None"), [], None, None)
    assert headless is not None
    assert headless["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_it_is_written_only_when_it_says_something_else() -> None:
    service, pods = _service(WEB), [_pod("a")]
    made = plan_endpoints(service, pods, None, AT)
    assert made is not None
    known = _known(made, mine="yes")
    assert plan_endpoints(service, pods, known, AT + 9) is None
    raw = known.literal()
    raw["subsets"][0]["addresses"][0]["targetRef"]["resourceVersion"] = "12"
    assert plan_endpoints(service, pods, Endpoints(raw), None) is None
    again = plan_endpoints(service, [_pod("a", ready=False)], known, None)
    assert again is not None
    assert again["metadata"]["annotations"] == {"mine": "yes"}
    assert again["metadata"]["resourceVersion"] == "7"
    assert plan_endpoints(_service(WEB, labels={"x": "y"}), pods, known, None) is not None
    assert plan_endpoints(service, pods, _known(made, **{"endpoints.kubernetes.io/over-capacity": "truncated"}), None)


def test_more_than_a_thousand_are_cut_and_it_says_so() -> None:
    service = _service(WEB)
    pods = [_pod(f"a{n}", ips=(f"10.0.{n // 250}.{n % 250 + 1}",)) for n in range(1001)]
    made = plan_endpoints(service, pods, None, None)
    assert made is not None
    assert len(made["subsets"][0]["addresses"]) == 1000
    assert made["metadata"]["annotations"] == {"endpoints.kubernetes.io/over-capacity": "truncated"}
    assert plan_endpoints(service, pods, _known(made), None) is None
    fewer = plan_endpoints(service, pods[1:], _known(made), None)
    assert fewer is not None
    assert fewer["metadata"]["annotations"] == {}
