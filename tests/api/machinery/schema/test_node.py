"""How a node names itself in Go's words."""

import pytest

from pilothouse.api.machinery.schema import Schema, Schemas

POD = Schemas().kind("", "v1", "Pod")


def at(schema: Schema, path: str) -> Schema:
    for step in path.split("."):
        found = schema.items if step == "[]" else schema.properties[step]
        assert found is not None, step
        schema = found
    return schema


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("spec", "v1.PodSpec"),
        ("spec.containers", "[]v1.Container"),
        ("spec.containers.[].args", "[]string"),
        ("metadata.labels", "map[string]string"),
        ("spec.hostNetwork", "bool"),
        ("spec.priority", "int32"),
        ("metadata.generation", "int64"),
    ],
)
def test_go_types(path: str, wanted: str) -> None:
    assert at(POD, path).go_type == wanted
