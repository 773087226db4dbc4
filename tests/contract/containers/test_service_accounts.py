"""sig-auth: what pods are given to prove who they are."""

import re

from contract.api import Api
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.pods import until_running
from contract.workloads import Workloads, container, pod

PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
FILES = ("token", "ca.crt", "namespace")
TOKEN = r"[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*"
ROLE = "system:service-account-issuer-discovery"


@conformance("ServiceAccounts should mount an API token into pods")
def test_a_token_for_the_api(api: Api, workloads: Workloads, check: Checks) -> None:
    namespace, name = workloads.namespace, "pod-service-account"
    api.objects("v1", "ServiceAccount", namespace).create({"metadata": {"name": "mount-test"}})
    waiting = container(name="test", image=BUSYBOX, command=["sleep", "100000"])
    workloads.pods.create(pod(name, waiting, serviceAccountName="mount-test", terminationGracePeriodSeconds=0))
    until_running(workloads.pods, name)
    token, authority, place = (workloads.execute(name, "cat", f"{PLACE}/{each}") for each in FILES)
    known = api.objects("v1", "ConfigMap", namespace).get("kube-root-ca.crt")
    check("authority", authority, known["data"]["ca.crt"])
    check("namespace", place, namespace)
    reviews = api.objects("authentication.k8s.io/v1", "TokenReview")
    status = reviews.create({"spec": {"token": token}})["status"]
    check("authenticated", (status["authenticated"], status.get("error", "")), (True, ""))
    check("user", status["user"]["username"], f"system:serviceaccount:{namespace}:mount-test")
    everybody = {"system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"}
    check("groups", everybody - {*status["user"]["groups"]}, set())


@conformance("ServiceAccounts should mount projected service account token")
def test_a_token_in_a_volume_of_ones_own(workloads: Workloads, check: Checks) -> None:
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
    volume = {"name": "test-volume", "projected": {"sources": [source]}}
    mounts = [{"name": "test-volume", "mountPath": "/test-volume", "readOnly": True}]
    reader = container(["mounttest", "--file_content=/test-volume/token"], volumeMounts=mounts)
    found = workloads.run(pod("test-pod", reader, volumes=[volume]))
    check("succeeded", found.phase, "Succeeded")
    check("token", re.search(f'content of file "/test-volume/token": {TOKEN}', found.log))


@conformance("ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer")
def test_a_token_that_its_issuer_vouches_for(api: Api, workloads: Workloads, check: Checks) -> None:
    name, audience, place = "oidc-discovery-validator", "oidc-discovery-test", "/var/run/secrets/tokens"
    bindings, binding = api.objects("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), f"{workloads.namespace}-oidc"
    account = {"kind": "ServiceAccount", "name": "default", "namespace": workloads.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    bindings.create({"metadata": {"name": binding}, "subjects": [account], "roleRef": role})
    source = {"serviceAccountToken": {"path": "sa-token", "expirationSeconds": 600, "audience": audience}}
    volume = {"name": "sa-token", "projected": {"sources": [source]}}
    mounts = [{"name": "sa-token", "mountPath": place, "readOnly": True}]
    arguments = ["test-service-account-issuer-discovery", "--token-path", f"{place}/sa-token", "--audience", audience]
    try:
        found = workloads.run(pod(name, container(arguments, name=name, volumeMounts=mounts), volumes=[volume]))
    finally:
        bindings.delete(binding)
    check("succeeded", (found.phase, found.log if found.phase != "Succeeded" else ""), ("Succeeded", ""))
