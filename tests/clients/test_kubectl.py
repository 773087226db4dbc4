"""kubectl, every version that is installed, unmodified, against a real server over TLS."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.kubectls import installed

Kubectl = Callable[..., str]
INSTALLED = installed()
MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example:1", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""

pytestmark = pytest.mark.skipif(not INSTALLED, reason="no kubectl is installed")


@pytest.fixture(params=INSTALLED, ids=lambda path: Path(path).name)
def kubectl(request: pytest.FixtureRequest, kubeconfig: Path, tmp_path: Path) -> Kubectl:
    """Runs kubectl in a namespace of its own; gives its output, also that of a failure asked for."""
    namespace = "ns-" + Path(request.param).name.replace(".", "-").lower() + f"-{abs(hash(request.node.name)) % 10**6}"

    def run(*arguments: str, text: str = "", fails: bool = False) -> str:
        command = [request.param, f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}", "-n", namespace, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("create", "namespace", namespace)
    return run


def test_manifests_are_applied_shown_changed_and_deleted(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", text=MANIFESTS).splitlines() == [
        "deployment.apps/web created",
        "service/web created",
    ]
    assert "unchanged" in kubectl("apply", "-f", "-", text=MANIFESTS)
    assert kubectl("apply", "-f", "-", text=MANIFESTS.replace("example:1", "example:2")).startswith(
        "deployment.apps/web configured"
    )
    shown = kubectl("get", "deployments", "-o", "wide").splitlines()
    assert shown[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert shown[1].split()[:4] == ["web", "0/3", "0", "0"]
    assert shown[1].split()[-3:] == ["web", "example:2", "app=web"]
    kubectl("scale", "deployment/web", "--replicas=5")
    assert json.loads(kubectl("get", "deployment/web", "-o", "json"))["spec"]["replicas"] == 5
    assert "Replicas:               5 desired" in kubectl("describe", "deployment/web")
    kubectl("set", "image", "deployment/web", "web=example:3")
    kubectl("delete", "-f", "-", text=MANIFESTS)
    assert kubectl("get", "deployments,services").startswith("No resources found")


def test_objects_of_typed_commands(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "c", "--from-literal=a=b")
    kubectl("create", "secret", "generic", "s", "--from-literal=a=b")
    kubectl("create", "serviceaccount", "me")
    kubectl("create", "role", "r", "--verb=get", "--resource=pods")
    kubectl("create", "deployment", "d", "--image=example:1", "--replicas=0")
    kubectl("label", "configmap", "c", "x=y")
    assert json.loads(kubectl("get", "configmap/c", "-o", "json"))["metadata"]["labels"] == {"x": "y"}
    assert json.loads(kubectl("get", "deployment/d", "-o", "json"))["spec"]["replicas"] == 0
    names = kubectl("get", "configmaps,secrets,serviceaccounts,roles,deployments", "-o", "name").split()
    assert names == [
        "configmap/c", "secret/s", "serviceaccount/me", "role.rbac.authorization.k8s.io/r", "deployment.apps/d",
    ]  # fmt: skip


def test_a_cluster_begins_with(kubectl: Kubectl) -> None:
    names = kubectl("get", "namespaces", "-o", "name").split()
    assert {"namespace/default", "namespace/kube-node-lease", "namespace/kube-public", "namespace/kube-system"} <= {
        *names
    }
    row = kubectl("get", "service", "kubernetes", "-n", "default").splitlines()[1].split()
    assert row[:5] == ["kubernetes", "ClusterIP", "10.96.0.1", "<none>", "443/TCP"]
    shown = kubectl("get", "endpoints", "kubernetes", "-n", "default", "-o", "json")
    endpoints, end = json.JSONDecoder().raw_decode(shown)
    assert shown[end:].strip() == "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    assert endpoints["subsets"][0]["addresses"] == [{"ip": "192.0.2.1"}]
    assert "192.0.2.1" in kubectl("get", "endpointslices", "kubernetes", "-n", "default")
    assert "system-node-critical" in kubectl("get", "priorityclasses")


def test_what_one_may(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    assert "*.*" in kubectl("auth", "can-i", "--list")


def test_what_it_asks_of_the_server(kubectl: Kubectl) -> None:
    assert "deployments" in kubectl("api-resources")
    assert "apps/v1" in kubectl("api-versions")
    assert "v1.37" in kubectl("version", "-o", "yaml")
    assert "nodeName" in kubectl("explain", "pod.spec")


@pytest.mark.parametrize(
    ("arguments", "text", "expected"),
    [
        (("get", "pod", "nobody"), "", 'Error from server (NotFound): pods "nobody" not found'),
        (("create", "configmap", "Bad_Name"), "", "a lowercase RFC 1123 subdomain must consist of"),
        (("apply", "-f", "-"), MANIFESTS.replace("replicas:", "replcas:"), 'unknown field "spec.replcas"'),
        (("apply", "-f", "-"), MANIFESTS.replace("replicas: 3", "replicas: many"), "cannot unmarshal string into Go"),
        (("get", "wheels"), "", 'error: the server doesn\'t have a resource type "wheels"'),
    ],
    ids=["absent", "name", "field", "type", "kind"],
)
def test_what_it_says_of_mistakes(kubectl: Kubectl, arguments: tuple[str, ...], text: str, expected: str) -> None:
    assert expected in kubectl(*arguments, text=text, fails=True)


def test_who_one_acts_as(kubectl: Kubectl) -> None:
    groups = ("--as-group", "team, a", "--as-group", "system:masters")
    assert "yes" in kubectl("auth", "can-i", "list", "nodes", "--as", "bob", *groups).split()
    assert "no" in kubectl("auth", "can-i", "list", "pods", "--as", "bob", fails=True).split()
    refused = kubectl("get", "pods", "--as", "system:serviceaccount:shop:robot", fails=True)
    assert 'User "system:serviceaccount:shop:robot" cannot list resource "pods" in API group ""' in refused


def test_what_a_node_may_do(kubectl: Kubectl) -> None:
    node = ("--as", "system:node:n1", "--as-group", "system:nodes")
    assert "node 'n1' cannot read all nodes, only its own Node object" in kubectl("get", "nodes", *node, fails=True)
    assert "can only list/watch pods with spec.nodeName field selector" in kubectl("get", "pods", *node, fails=True)
    assert "No resources found" in kubectl("get", "pods", "--field-selector=spec.nodeName=n1", *node)
    other = '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n2"}}'
    refused = kubectl("create", "-f", "-", *node, text=other, fails=True)
    assert 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"' in refused


ENDS = pytest.mark.parametrize("kubectl", [*dict.fromkeys((*INSTALLED[:1], *INSTALLED[-1:]))], indirect=True)
"""The oldest and the newest."""


def _managers(kubectl: Kubectl, what: str) -> list[tuple[str, str]]:
    shown = json.loads(kubectl("get", what, "-o", "json", "--show-managed-fields"))
    return [(entry["manager"], entry["operation"]) for entry in shown["metadata"]["managedFields"]]


@ENDS
def test_manifests_are_applied_by_the_server(kubectl: Kubectl) -> None:
    def apply(text: str, *arguments: str, fails: bool = False) -> str:
        return kubectl("apply", "--server-side", "-f", "-", *arguments, text=text, fails=fails)

    assert apply(MANIFESTS).splitlines() == [
        "deployment.apps/web serverside-applied",
        "service/web serverside-applied",
    ]
    version = kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.resourceVersion}")
    apply(MANIFESTS)
    assert kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.resourceVersion}") == version
    refused = apply(MANIFESTS.replace("replicas: 3", "replicas: 4"), "--field-manager=other", fails=True)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in refused
    assert "--force-conflicts" in refused
    apply(MANIFESTS.replace("replicas: 3", "replicas: 4"), "--field-manager=other", "--force-conflicts")
    assert ("other", "Apply") in _managers(kubectl, "deployment/web")
    kubectl("scale", "deployment/web", "--replicas=5")
    refused = apply(MANIFESTS, fails=True)
    assert 'with subresource "scale" using apps/v1: .spec.replicas' in refused
    apply(MANIFESTS.replace("  replicas: 3\n", ""))
    assert kubectl("get", "deployment/web", "-o", "jsonpath={.spec.replicas}") == "5"
    assert "Deployment" in kubectl("diff", "--server-side", "-f", "-", text=MANIFESTS.replace(":1", ":2"), fails=True)


@ENDS
def test_what_was_applied_by_the_client_is_taken_over_by_the_server(kubectl: Kubectl) -> None:
    labelled = MANIFESTS.replace(
        "labels: {app: web}}\nspec:\n  replicas", "labels: {app: web, tier: one}}\nspec:\n  replicas"
    )
    kubectl("apply", "-f", "-", text=labelled)
    assert _managers(kubectl, "deployment/web") == [("kubectl-client-side-apply", "Update")]
    kubectl("apply", "--server-side", "-f", "-", text=MANIFESTS.replace(":1", ":2"))
    managers = _managers(kubectl, "deployment/web")  # the second is kubectl's for its annotation
    assert sorted(managers) == [("kubectl", "Apply"), ("kubectl-last-applied", "Apply")]
    labels = json.loads(kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.labels}"))
    assert labels == {"app": "web"}  # what was applied by the client before goes with the migration
    kubectl("apply", "-f", "-", text=MANIFESTS)
    assert kubectl("get", "deployment/web", "-o", "jsonpath={..image}") == "example:1"


def test_quotas_and_limit_ranges_are_described(kubectl: Kubectl) -> None:
    kubectl("create", "quota", "q", "--hard=configmaps=1,limits.cpu=2")
    status = {
        "status": {"hard": {"configmaps": "1", "limits.cpu": "2"}, "used": {"configmaps": "0", "limits.cpu": "0"}}
    }
    kubectl("patch", "quota", "q", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    kubectl("create", "configmap", "a")
    refused = kubectl("create", "configmap", "b", fails=True)
    assert "exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1" in refused
    shown = kubectl("get", "quota")
    assert "configmaps: 1/1" in shown
    assert "limits.cpu: 0/2" in shown
    rows = [line.split() for line in kubectl("describe", "quota", "q").splitlines()]
    assert rows[-2:] == [["configmaps", "1", "1"], ["limits.cpu", "0", "2"]]
    limits = {"limits": [{"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "500m"}}]}
    kind = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}}
    kubectl("apply", "-f", "-", text=json.dumps({**kind, "spec": limits}))
    described = kubectl("describe", "namespace", kubectl("get", "quota", "q", "-o", "jsonpath={.metadata.namespace}"))
    rows = [line.split() for line in described.splitlines()]
    assert ["configmaps", "1", "1"] in rows
    assert ["Container", "cpu", "-", "1", "500m", "500m", "-"] in rows
