"""Kinds through the whole server: the least that is accepted, and that writing it again changes nothing.

Whoever leaves out what the server filled in, or sends back what he read, has asked for nothing new: neither generation
nor resourceVersion may move.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from fakes.certificates import certificate_pem, request_pem
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

JSON = {"content-type": "application/json"}
LABELS = {"app": "x"}
POD = {"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
ENDING = {"spec": {**POD, "restartPolicy": "Never"}}
SELECTED = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
CLAIM = {
    "metadata": {"name": "d"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
MODES = {"accessModes": ["ReadWriteOnce"]}
ATTACHED = {"attacher": "a.b", "source": {"persistentVolumeName": "x"}, "nodeName": "x"}
BACKEND = {"service": {"name": "x", "port": {"number": 80}}}
LIMITED = {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}
SIGNED = {"request": request_pem(), "usages": ["client auth"], "signerName": "a.b/c"}
DEVICES = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "x"}}]}}
TAINT = {"key": "a", "effect": "None", "timeAdded": "2026-01-01T00:00:00Z"}
SLICE = {
    "driver": "a.b", "pool": {"name": "x", "generation": 0, "resourceSliceCount": 1}, "allNodes": True,
    "devices": [{"name": "d", "attributes": {"a": {"int": 0}}, "taints": [TAINT]}],
}  # fmt: skip
RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["x"]}
HOOK = {
    "name": "x.a.b", "sideEffects": "None", "admissionReviewVersions": ["v1"], "rules": [RULE],
    "clientConfig": {"service": {"namespace": "x", "name": "x"}},
}  # fmt: skip
MATCHED = {"matchConstraints": {"resourceRules": [RULE]}}
MUTATION = {
    "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{}]"}}],
    "reinvocationPolicy": "Never",
}
TARGET = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}, "maxReplicas": 3}

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("/apis/apps/v1/namespaces/default/daemonsets", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/statefulsets", {"spec": {**SELECTED, "volumeClaimTemplates": [CLAIM]}}),
    ("/apis/apps/v1/namespaces/default/deployments", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/replicasets", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/controllerrevisions", {"data": {}, "revision": 1}),
    ("/apis/batch/v1/namespaces/default/jobs", {"spec": {"template": ENDING}}),
    (
        "/apis/batch/v1/namespaces/default/cronjobs",
        {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": ENDING}}}},
    ),
    ("/api/v1/namespaces/default/replicationcontrollers", {"spec": {"template": TEMPLATE}}),
    ("/api/v1/namespaces/default/podtemplates", {"template": TEMPLATE}),
    ("/api/v1/namespaces/default/services", {"spec": {"ports": [{"port": 80}]}}),
    ("/api/v1/namespaces/default/serviceaccounts", {}),
    ("/api/v1/namespaces/default/configmaps", {}),
    ("/api/v1/namespaces/default/secrets", {}),
    ("/api/v1/namespaces", {}),
    ("/api/v1/namespaces/default/endpoints", {"subsets": [{"addresses": [{"ip": "10.1.1.1"}]}]}),
    ("/api/v1/namespaces/default/events", {"involvedObject": {"namespace": "default"}}),
    ("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", {"spec": TARGET}),
    ("/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", {"spec": TARGET}),
    ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", {"spec": {"minAvailable": 1}}),
    ("/api/v1/nodes", {}),
    ("/api/v1/persistentvolumes", {"spec": {"capacity": {"storage": "1Gi"}, **MODES, "hostPath": {"path": "/x"}}}),
    ("/api/v1/namespaces/default/persistentvolumeclaims", {"spec": CLAIM["spec"]}),
    ("/api/v1/namespaces/default/resourcequotas", {"spec": {"hard": {"pods": 5}}}),
    ("/api/v1/namespaces/default/limitranges", {"spec": {"limits": [{"type": "Container", "max": {"cpu": 2}}]}}),
    ("/apis/storage.k8s.io/v1/storageclasses", {"provisioner": "a.b"}),
    ("/apis/storage.k8s.io/v1/csidrivers", {"spec": {}}),
    ("/apis/storage.k8s.io/v1/csinodes", {"spec": {"drivers": []}}),
    ("/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities", {"storageClassName": "x"}),
    ("/apis/storage.k8s.io/v1/volumeattachments", {"spec": ATTACHED}),
    ("/apis/storage.k8s.io/v1/volumeattributesclasses", {"driverName": "a.b", "parameters": {"a": "b"}}),
    ("/apis/networking.k8s.io/v1/namespaces/default/ingresses", {"spec": {"defaultBackend": BACKEND}}),
    ("/apis/networking.k8s.io/v1/ingressclasses", {"spec": {"controller": "a.b/c"}}),
    ("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", {"spec": {"podSelector": {}}}),
    (
        "/apis/networking.k8s.io/v1/ipaddresses",
        {"metadata": {"name": "10.0.0.77"}, "spec": {"parentRef": {"resource": "services", "name": "x"}}},
    ),
    ("/apis/networking.k8s.io/v1/servicecidrs", {"spec": {"cidrs": ["10.9.0.0/24"]}}),
    ("/apis/node.k8s.io/v1/runtimeclasses", {"handler": "runc"}),
    ("/apis/scheduling.k8s.io/v1/priorityclasses", {"value": 5}),
    ("/apis/coordination.k8s.io/v1/namespaces/default/leases", {"spec": {}}),
    ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {"addressType": "IPv4", "endpoints": []}),
    ("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", {"spec": {"priorityLevelConfiguration": {"name": "x"}}}),
    ("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", {"spec": LIMITED}),
    ("/apis/certificates.k8s.io/v1/certificatesigningrequests", {"spec": SIGNED}),
    ("/apis/certificates.k8s.io/v1/clustertrustbundles", {"spec": {"trustBundle": certificate_pem(authority=True)}}),
    ("/apis/storagemigration.k8s.io/v1/storageversionmigrations", {"spec": {"resource": {"resource": "pods"}}}),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles", {"rules": []}),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", {"rules": []}),
    ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {"roleRef": {"kind": "ClusterRole", "name": "x"}}),
    (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
        {"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "User", "name": "x"}]},
    ),
    ("/apis/resource.k8s.io/v1/namespaces/default/resourceclaims", {"spec": DEVICES}),
    ("/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates", {"spec": {"spec": DEVICES}}),
    ("/apis/resource.k8s.io/v1/deviceclasses", {"spec": {}}),
    ("/apis/resource.k8s.io/v1/resourceslices", {"spec": SLICE}),
    ("/apis/resource.k8s.io/v1/devicetaintrules", {"spec": {"taint": TAINT}}),
    ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {"webhooks": [HOOK]}),
    ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {"webhooks": [HOOK]}),
    (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        {"spec": {**MATCHED, "validations": [{"expression": "true"}]}},
    ),
    (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        {"spec": {"policyName": "x", "validationActions": ["Deny"], "matchResources": {}}},
    ),
    ("/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies", {"spec": {**MATCHED, **MUTATION}}),
    ("/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings", {"spec": {"policyName": "x"}}),
    (
        "/apis/apiregistration.k8s.io/v1/apiservices",
        {
            "metadata": {"name": "v1.a.b"},
            "spec": {
                "group": "a.b", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
                "service": {"namespace": "x", "name": "x"}, "insecureSkipTLSVerify": True,
            },
        },
    ),
]  # fmt: skip

Story = Callable[[HandlerTransport], Awaitable[None]]


def served(story: Story) -> None:
    """Run `story` against a server of its own."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble()
            await story(HandlerTransport(server.handle, None))

    run(main)


async def _send(transport: HandlerTransport, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await transport.send(method, path, JSON, orjson.dumps(body))
    found: dict[str, Any] = orjson.loads(answer.body)
    assert answer.status in (200, 201), found
    return found


@pytest.mark.parametrize(("path", "sent"), KINDS, ids=[path.removeprefix("/api") for path, _ in KINDS])
def test_the_same_again_is_no_change(path: str, sent: dict[str, Any]) -> None:
    async def story(transport: HandlerTransport) -> None:
        made = await _send(transport, "POST", path, {"metadata": {"name": "x"}, **sent})
        here = f"{path}/{made['metadata']['name']}"
        read = await _send(transport, "PUT", here, made)  # who sends it has written what the strategy added, too
        assert await _send(transport, "PUT", here, read) == read
        kept = {name: read["metadata"][name] for name in ("name", "resourceVersion")}
        template = made.get("spec", {}).get("template", {})
        spec = dict(sent["spec"]) if "spec" in sent else None
        if spec is not None and made["kind"] == "Job":  # its own labels are the server's to keep
            spec = {**spec, "selector": made["spec"]["selector"], "template": {**template, "spec": ENDING["spec"]}}
        again = await _send(transport, "PUT", here, {**sent, "metadata": kept, **({"spec": spec} if spec else {})})
        for later in (read, again):
            assert later["metadata"].get("generation") == made["metadata"].get("generation")
            assert {**later, "metadata": {}} == {**made, "metadata": {}}

    served(story)
