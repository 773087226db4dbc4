"""sig-api-machinery: the server's version, discovery in both forms, tables, unknown fields."""

import json
import re

import pytest

from contract.api import Api, Json, Refused
from contract.conformance import Checks, conformance
from contract.operations import AGGREGATED, DISCOVERY

RESOURCES = [
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    ("apps", "v1", "deployments"),
    ("authentication.k8s.io", "v1", "tokenreviews"),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
    ("autoscaling", "v1", "horizontalpodautoscalers"),
    ("autoscaling", "v2", "horizontalpodautoscalers"),
    ("batch", "v1", "jobs"),
    ("certificates.k8s.io", "v1", "certificatesigningrequests"),
    ("coordination.k8s.io", "v1", "leases"),
    ("discovery.k8s.io", "v1", "endpointslices"),
    ("events.k8s.io", "v1", "events"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("node.k8s.io", "v1", "runtimeclasses"),
    ("policy", "v1", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "v1", "priorityclasses"),
    ("storage.k8s.io", "v1", "csinodes"),
]
"""What every server has, by group, version and plural."""
CORE = ("", "v1", "namespaces")


@conformance("server version should find the server version")
def test_server_version(api: Api, check: Checks) -> None:
    found = api.ask("/version")
    check("major", re.fullmatch("[1-9]", found["major"]))
    digits = re.findall("[0-9]+", found["minor"])
    check("minor", len(digits), 1)


@conformance("Discovery should validate PreferredVersion for each APIGroup")
def test_preferred_versions(api: Api, check: Checks) -> None:
    groups = [group["name"] for group in api.ask("/apis/")["groups"]]
    check("groups", groups)
    for name in groups:
        if name.endswith(".example.com"):
            continue  # made and removed by others meanwhile
        group = api.ask(f"/apis/{name}/")
        versions = [version["groupVersion"] for version in group["versions"]]
        check("versions", versions)
        check("preferred", group["preferredVersion"]["groupVersion"] in versions)


@conformance("Discovery should locate the groupVersion and a resource within each APIGroup")
def test_a_resource_of_each_group(api: Api, check: Checks) -> None:
    for group, version, plural in [CORE, *RESOURCES]:
        named = f"{group}/{version}".strip("/")
        found = api.ask(f"/apis/{named}" if group else f"/api/{named}")
        check("group-version", found["groupVersion"], named)
        check("resource", plural in [resource["name"] for resource in found["resources"]])


def _aggregated(api: Api, path: str, accept: str = AGGREGATED) -> set[tuple[str, str, str]]:
    """What is in the aggregated document; a version that is stale is none to client-go."""
    document: Json = json.loads(api.send("GET", path, headers={"Accept": accept}))
    assert (document["kind"], document["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    return {
        (group.get("metadata", {}).get("name", ""), version["version"], resource["resource"])
        for group in document["items"]
        for version in group["versions"]
        for resource in version["resources"]
        if accept == AGGREGATED or version.get("freshness") != "Stale"
    }


@conformance("AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers")
def test_aggregated_discovery_documents(api: Api, check: Checks) -> None:
    check("groups", set(RESOURCES) - _aggregated(api, "/apis"), set())
    check("core", CORE in _aggregated(api, "/api"))


@conformance("AggregatedDiscovery should support aggregated discovery interface")
def test_aggregated_discovery_as_clients_use_it(api: Api, check: Checks) -> None:
    found = _aggregated(api, "/apis", DISCOVERY) | _aggregated(api, "/api", DISCOVERY)
    wanted = {CORE, *RESOURCES}
    check("resources", wanted - found, set())
    check("versions", {item[:2] for item in wanted} - {item[:2] for item in found}, set())


@conformance(
    "Servers with support for Table transformation should return a 406 for a backend which does not implement metadata"
)
def test_no_table_of_an_answer(api: Api, check: Checks) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    with pytest.raises(Refused) as refused:
        api.send("POST", path, review, headers=accept)
    check("refused", refused.value.status["code"], 406)


def _deployment(more_metadata: str = "", more_spec: str = "") -> bytes:
    container = '{"name": "nginx", "image": "nginx:latest"}'
    template = f'{{"metadata": {{"labels": {{"app": "nginx"}}}}, "spec": {{"containers": [{container}]}}}}'
    return (
        '{"apiVersion": "apps/v1", "kind": "Deployment",'
        f'"metadata": {{"name": "my-dep", {more_metadata} "labels": {{"app": "nginx"}}}},'
        f'"spec": {{{more_spec} "selector": {{"matchLabels": {{"app": "nginx"}}}}, "template": {template}}}}}'
    ).encode()


def _refusal(api: Api, namespace: str, body: bytes) -> str:
    """What the server says to such a body, which comes without a Content-Type, as client-go sends bytes."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    query = {"fieldManager": "field_validation_mgr", "fieldValidation": "Strict"}
    with pytest.raises(Refused) as refused:
        api.send("POST", path, body, query=query)
    assert refused.value.code == 400
    return str(refused.value.status["message"])


@conformance("FieldValidation should detect unknown and duplicate fields of a typed object")
def test_unknown_and_duplicate_fields(api: Api, check: Checks, namespace: str) -> None:
    message = _refusal(api, namespace, _deployment("", '"unknownField": "foo", "replicas": 2, "replicas": 3,'))
    wanted = 'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"'
    check("message", wanted in message)


@conformance("FieldValidation should detect unknown metadata fields of a typed object")
def test_unknown_metadata(api: Api, check: Checks, namespace: str) -> None:
    message = _refusal(api, namespace, _deployment('"unknownMeta": "foo",'))
    check("message", 'strict decoding error: unknown field "metadata.unknownMeta"' in message)
