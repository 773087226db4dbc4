"""kubectl 1.20, which checks what it sends against OpenAPI v2 in protobuf, and sends nothing without it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.kubectls import OLD

Kubectl = Callable[..., str]
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example:1"}]}
"""


@pytest.fixture
def kubectl(kubeconfig: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Kubectl:
    if not OLD.exists():
        pytest.skip("it is not there: `make packages` could not download it")
    namespace = f"old-{abs(hash(request.node.name)) % 10**6}"

    def run(*arguments: str, text: str = "", fails: bool = False, editor: str = "") -> str:
        command = [str(OLD), f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}", "-n", namespace, *arguments]
        environment = {"PATH": os.defpath, "HOME": str(tmp_path), "KUBE_EDITOR": editor}
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("create", "namespace", namespace)
    return run


def test_it_applies_edits_patches_and_deletes(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", text=MANIFEST) == "deployment.apps/web created\n"
    assert kubectl("apply", "-f", "-", text=MANIFEST) == "deployment.apps/web unchanged\n"
    assert kubectl("diff", "-f", "-", text=MANIFEST) == ""
    changed = MANIFEST.replace("example:1", "example:2")
    assert "example:2" in kubectl("diff", "-f", "-", text=changed, fails=True)
    assert kubectl("apply", "-f", "-", text=changed) == "deployment.apps/web configured\n"
    assert "example:2" in kubectl("get", "deployments", "-o", "wide")
    assert kubectl("edit", "deployment/web", editor="sed -i s/example:2/example:3/") == "deployment.apps/web edited\n"
    kubectl("patch", "deployment/web", "-p", '{"spec":{"paused":true}}')
    kubectl(
        "patch", "deployment/web", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]'
    )
    kubectl("annotate", "deployment/web", "note=kept")
    spec = json.loads(kubectl("get", "deployment/web", "-o", "json"))["spec"]
    assert (spec["paused"], spec["template"]["spec"]["containers"][0]["image"]) == (True, "example:3")
    assert kubectl("delete", "deployment/web").startswith('deployment.apps "web" deleted')


def test_it_checks_before_it_sends(kubectl: Kubectl) -> None:
    wrong = MANIFEST.replace("template:", "tmplate:")
    refused = kubectl("create", "-f", "-", text=wrong, fails=True)
    assert 'unknown field "tmplate" in io.k8s.api.apps.v1.DeploymentSpec' in refused
    refused = kubectl("create", "-f", "-", text=MANIFEST.replace("spec:", "spec:\n  replicas: many", 1), fails=True)
    assert 'invalid type for io.k8s.api.apps.v1.DeploymentSpec.replicas: got "string", expected "integer"' in refused


def test_it_creates_what_needs_no_file(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "c", "--from-literal=a=b")
    kubectl("create", "deployment", "d", "--image=example:1", "--replicas=0")
    kubectl("create", "job", "j", "--image=example:1")
    kubectl("expose", "deployment", "d", "--port=80")
    names = kubectl("get", "configmaps,deployments,jobs,services", "-o", "name").split()
    assert names == ["configmap/c", "deployment.apps/d", "job.batch/j", "service/d"]
    assert "example:1" in kubectl("describe", "deployment", "d")


def test_server_side_apply(kubectl: Kubectl) -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "b"}}'
    assert kubectl("apply", "--server-side", "-f", "-", text=text) == "configmap/s serverside-applied\n"
    taken = kubectl(
        "apply", "--server-side", "--field-manager=me", "-f", "-", text=text.replace('"b"', '"c"'), fails=True
    )
    assert 'conflict with "kubectl": .data.a' in taken
