"""The documents, read back as kubectl reads them: merge keys, descriptions, what PATCH takes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.openapi import Documents
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.core_v1 import Node

SCHEMAS = Schemas()
NODES: Resource[Any] = Resource(kind=Node, group="", version="v1", plural="nodes", namespaced=False)
DEPLOYMENTS: Resource[Any] = Resource(kind=Deployment, group="apps", version="v1", plural="deployments")
DOCUMENTS = Documents(SCHEMAS, [NODES, DEPLOYMENTS], "v1.37.0")
V3 = orjson.loads(DOCUMENTS.v3("apis/apps/v1"))
V2 = orjson.loads(DOCUMENTS.v2())
PATH = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
KIND = {"group": "apps", "version": "v1", "kind": "Deployment"}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_index_leads_to_each_document() -> None:
    paths = orjson.loads(DOCUMENTS.index())["paths"]
    assert list(paths) == ["api/v1", "apis/apps/v1"]
    assert paths["apis/apps/v1"] == {
        "serverRelativeURL": f"/openapi/v3/apis/apps/v1?hash={DOCUMENTS.hash('apis/apps/v1')}"
    }
    with pytest.raises(LookupError):
        DOCUMENTS.v3("apis/apps/v2")


def test_a_hash_changes_with_what_its_document_is_made_of() -> None:
    more = Documents(SCHEMAS, [NODES, replace(DEPLOYMENTS, verbs=("get",))], "v1.37.0")
    assert more.hash("apis/apps/v1") != DOCUMENTS.hash("apis/apps/v1")
    assert more.hash("api/v1") == DOCUMENTS.hash("api/v1")
    assert more.hash() != DOCUMENTS.hash()


@pytest.mark.parametrize("document", [V3, V2, orjson.loads(DOCUMENTS.v3("api/v1"))])
def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in set(references(document)):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert isinstance(found, dict)


def test_patch_says_that_it_takes_dry_run_and_field_validation() -> None:
    for document in (V3, V2):
        patch = document["paths"][PATH]["patch"]
        assert patch["x-kubernetes-group-version-kind"] == KIND
        assert patch["x-kubernetes-action"] == "patch"
        assert {"dryRun", "fieldValidation", "fieldManager"} <= {p["name"] for p in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in V3["paths"][PATH]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" in V2["paths"][PATH]["patch"]["consumes"]


def test_definitions_are_free_of_what_the_package_did_to_them() -> None:
    name = "io.k8s.api.apps.v1.Deployment"
    for definition in (V3["components"]["schemas"][name], V2["definitions"][name]):
        assert definition["type"] == "object"
        assert definition["x-kubernetes-group-version-kind"] == [KIND]
        assert "enum" not in definition["properties"]["kind"]
        assert definition["description"] == SCHEMAS.raw[name]["description"]


def test_the_dialects_differ_in_references_and_special_types() -> None:
    quantity, port = "io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
    v3, v2 = V3["components"]["schemas"], V2["definitions"]
    assert v3[quantity]["oneOf"] == [{"type": "string"}, {"type": "number"}]
    assert v2[quantity]["type"] == "string"
    assert v3[port]["oneOf"] == [{"type": "integer"}, {"type": "string"}]
    assert (v2[port]["type"], v2[port]["format"]) == ("string", "int-or-string")
    spec = "io.k8s.api.apps.v1.DeploymentSpec"
    assert v3["io.k8s.api.apps.v1.Deployment"]["properties"]["spec"]["allOf"] == [
        {"$ref": f"#/components/schemas/{spec}"}
    ]
    assert v2["io.k8s.api.apps.v1.Deployment"]["properties"]["spec"]["$ref"] == f"#/definitions/{spec}"


def test_patches_find_their_merge_keys() -> None:
    for found in (V3["components"]["schemas"], V2["definitions"]):
        containers = found["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
        assert containers["x-kubernetes-patch-merge-key"] == "name"
        assert containers["x-kubernetes-patch-strategy"] == "merge"


@pytest.fixture(scope="module")
def every() -> Documents:
    return Documents(SCHEMAS, builtin(), "v1.37.0")


def test_every_kind_is_in_its_document_with_what_can_be_done(every: Documents) -> None:
    """What `kubectl explain` looks for, and generated clients."""
    documents = {
        path: orjson.loads(every.v3(path)) for path in orjson.loads(every.index())["paths"]
    }  # fmt: skip
    for resource in builtin():
        document = documents[resource.api_path.removeprefix("/")]
        schemas = document["components"]["schemas"]
        gvk = {"group": resource.group, "version": resource.version, "kind": resource.name}
        (schema,) = [one for one in schemas.values() if gvk in one.get("x-kubernetes-group-version-kind", ())]
        assert schema["properties"].keys() >= {"apiVersion", "kind", "metadata"}, resource
        actions = {
            operation["x-kubernetes-action"]
            for path, item in document["paths"].items()
            if f"/{resource.plural}" in path
            for method, operation in item.items()
            if method != "parameters" and operation.get("x-kubernetes-group-version-kind") == gvk
        }
        wanted = {verb.replace("update", "put").replace("create", "post") for verb in resource.verbs} - {"watch"}
        assert wanted <= actions, resource


def test_the_shape_of_every_document(every: Documents) -> None:
    """What the OpenAPI specification demands of the parts that we write."""
    ids: set[str] = set()
    for path in orjson.loads(every.index())["paths"]:
        document = orjson.loads(every.v3(path))
        assert document.keys() == {"openapi", "info", "paths", "components"}
        for at, item in document["paths"].items():
            assert at.startswith(f"/{path}/")
            placed = set(re.findall(r"\{(\w+)\}", at))
            for method, operation in item.items():
                assert method in ("get", "put", "post", "delete", "options", "head", "patch")
                assert operation["responses"]
                assert operation["operationId"] not in ids
                ids.add(operation["operationId"])
                parameters = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
                assert len(parameters) == len(set(parameters))
                assert {name for place, name in parameters if place == "path"} == placed, at
                assert ("requestBody" in operation) == (method in ("put", "post", "patch", "delete")) or (
                    operation["x-kubernetes-action"] in ("connect", "deletecollection", "delete")
                ), (at, method)
        for schema in document["components"]["schemas"].values():
            assert schema.keys() & {"type", "oneOf", "description", "x-kubernetes-preserve-unknown-fields"}
