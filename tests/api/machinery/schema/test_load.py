"""The definitions, undone of what the package that carries them did to them."""

import pytest

from pilothouse.api.machinery.schema import Schema, Schemas

SCHEMAS = Schemas()


def at(schema: Schema, path: str) -> Schema:
    for step in path.split("."):
        found = {"[]": schema.items, "{}": schema.additional}.get(step) or schema.properties.get(step)
        assert found is not None, step
        schema = found
    return schema


POD = SCHEMAS.kind("", "v1", "Pod")
DEPLOYMENT = SCHEMAS.kind("apps", "v1", "Deployment")


@pytest.mark.parametrize(
    ("path", "attribute", "wanted"),
    [
        ("kind", "type", "string"),
        ("spec", "name", "io.k8s.api.core.v1.PodSpec"),
        ("spec.containers", "type", "array"),
        ("spec.containers", "patch_strategy", ("merge",)),
        ("spec.containers", "patch_merge_key", "name"),
        ("spec.containers", "list_type", "map"),
        ("spec.containers", "list_map_keys", ("name",)),
        ("spec.containers.[].ports", "list_map_keys", ("containerPort", "protocol")),
        ("spec.containers.[].ports", "patch_merge_key", "containerPort"),
        ("spec.containers.[].args", "list_type", "atomic"),
        ("spec.volumes", "patch_strategy", ("merge", "retainKeys")),
        ("spec.containers.[].resources.limits.{}", "quantity", True),
        ("spec.containers.[].livenessProbe.httpGet.port", "int_or_string", True),
        ("spec.containers.[].livenessProbe.periodSeconds", "format", "int32"),
        ("spec.nodeSelector", "map_type", "atomic"),
        ("spec.nodeSelector.{}", "type", "string"),
        ("metadata.creationTimestamp", "format", "date-time"),
        ("metadata.managedFields.[].fieldsV1", "preserve_unknown", True),
        ("metadata.finalizers", "list_type", "set"),
        ("spec", "required", frozenset({"containers"})),
    ],
)
def test_nodes_say_what_the_definitions_say(path: str, attribute: str, wanted: object) -> None:
    assert getattr(at(POD, path), attribute) == wanted


def test_marks_of_a_field_do_not_leak_into_the_definition() -> None:
    assert at(DEPLOYMENT, "spec.strategy").patch_strategy == ("retainKeys",)
    assert SCHEMAS.definition("io.k8s.api.apps.v1.DeploymentStrategy").patch_strategy == ()


def test_nodes_are_shared() -> None:
    assert at(DEPLOYMENT, "spec.template.spec") is at(POD, "spec")
    assert at(POD, "spec.nodeName") is at(POD, "metadata.name")


def test_a_definition_may_contain_itself() -> None:
    schema = SCHEMAS.definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
    assert at(schema, "properties.{}") is schema


@pytest.mark.parametrize("kind", [("", "v1", "Nothing"), ("apps", "v1beta1", "Deployment"), ("apps", "v1", "Pod")])
def test_unknown_kinds_are_lookup_errors(kind: tuple[str, str, str]) -> None:
    with pytest.raises(LookupError, match=kind[2]):
        SCHEMAS.kind(*kind)


def test_unknown_definitions_are_lookup_errors() -> None:
    with pytest.raises(LookupError, match=r"io\.k8s\.Nothing"):
        SCHEMAS.definition("io.k8s.Nothing")


def test_every_kind_can_be_built() -> None:
    for kind in SCHEMAS.names:
        assert SCHEMAS.kind(*kind).properties
