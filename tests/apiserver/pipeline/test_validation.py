"""What writers are told of what was accepted, and users of kinds that will go."""

from typing import Any

import orjson
import pytest

from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run

CORE, APPS = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default"
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i:1"}], "terminationGracePeriodSeconds": -1},
}
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
}
SERVICE: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {"ports": [{"port": 80}], "trafficDistribution": "PreferClose"},
}
GRACE = (
    "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; "
    "negative values are invalid and will be treated as 1"
)
CLOSE = 'spec.trafficDistribution: \\"PreferClose\\" is deprecated; use \\"PreferSameZone\\"'
ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
COMPONENTS = "v1 ComponentStatus is deprecated in v1.19+"


@pytest.mark.parametrize(
    ("method", "path", "body", "warned"),
    [
        ("POST", f"{APPS}/deployments", {**DEPLOYMENT, "metadata": {"name": "other"}}, [GRACE]),
        ("PATCH", f"{APPS}/deployments/web", {"spec": {"paused": True}}, [GRACE]),
        ("PATCH", f"{APPS}/deployments/web", {"metadata": {"labels": {"x": "y"}}}, []),
        ("PATCH", f"{APPS}/deployments/web/scale", {"spec": {"replicas": 2}}, [GRACE]),
        ("PATCH", f"{APPS}/deployments/web/status", {"status": {"replicas": 2}}, []),
        ("POST", f"{CORE}/services", {**SERVICE, "metadata": {"name": "other"}}, [CLOSE]),
        ("POST", f"{CORE}/services", {"metadata": {"name": "Wrong"}, "spec": SERVICE["spec"]}, []),
        ("GET", f"{CORE}/services", None, []),
        ("GET", f"{CORE}/endpoints", None, [ENDPOINTS]),
        ("GET", f"{CORE}/endpoints/none", None, [ENDPOINTS]),
        ("POST", f"{CORE}/endpoints", {"metadata": {"name": "e"}}, [ENDPOINTS]),
        ("GET", f"{CORE.partition('/namespaces')[0]}/componentstatuses", None, [COMPONENTS]),
    ],
)
def test_warnings(method: str, path: str, body: dict[str, Any] | None, warned: list[str]) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            send = HandlerTransport(cluster.server.handle, ADMIN).send
            plain = {"content-type": "application/json"}
            await send("POST", f"{APPS}/deployments", plain, orjson.dumps(DEPLOYMENT))
            form = "application/merge-patch+json" if method == "PATCH" else "application/json"
            answer = await send(method, path, {"content-type": form}, orjson.dumps(body) if body else b"")
            assert answer.headers.get("warning", "") == ", ".join(f'299 - "{text}"' for text in warned)

    run(story)


RBAC = "rbac.authorization.k8s.io"
UNKNOWN = (
    'metadata.finalizers[1]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'
)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (f"{CORE}/configmaps", f'ConfigMap "a" is invalid: {UNKNOWN}'),
        (f"/apis/{RBAC}/v1/clusterroles", f'ClusterRole.{RBAC} "a" is invalid: {UNKNOWN}'),
        ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", ""),
    ],
)
def test_finalizers_without_a_domain(path: str, why: str) -> None:
    """Source: ValidateObjectMeta and ValidateObjectMetaUpdate in pkg/apis/core/validation/validation.go."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            send = HandlerTransport(cluster.server.handle, ADMIN).send
            form = {"content-type": "application/json"}
            new = {"metadata": {"name": "a", "finalizers": ["orphan", "x"]}}
            answer = orjson.loads((await send("POST", path, form, orjson.dumps(new))).body)
            assert answer.get("message", "") == why
            new["metadata"]["finalizers"] = ["example.com/x"]
            if why:
                await send("POST", path, form, orjson.dumps(new))
            form = {"content-type": "application/merge-patch+json"}
            patch = {"metadata": {"finalizers": ["orphan", "x"]}}
            answer = orjson.loads((await send("PATCH", f"{path}/a", form, orjson.dumps(patch))).body)
            assert answer.get("message", "") == why

    run(story)
