"""Source of the cases: smd_test.go and json_patch_test.go beside upstream's plugin."""

from typing import Any

import pytest

from fakes.served import schemas
from pilothouse.api.machinery.cel.values import Struct
from pilothouse.api.machinery.errors import InternalError
from pilothouse.apiserver.admission.dynamic.patches import MutationError, applied, patched
from pilothouse.apiserver.admission.dynamic.request import GroupVersionKind

Json = dict[str, Any]
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
OBJECT = {
    "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "d"},
    "spec": {
        "replicas": 1, "selector": {"matchLabels": {"a": "b"}},
        "template": {"spec": {"containers": [{"name": "one", "image": "1"}, {"name": "two", "image": "2"}]}},
    },
}  # fmt: skip


def struct(value: Any, path: str = "Object") -> Any:
    """Structs of the types that their places say."""
    if isinstance(value, dict):
        return Struct(path, {name: struct(item, f"{path}.{name}") for name, item in value.items()})
    return [struct(item, path) for item in value] if isinstance(value, list) else value


def apply(value: object) -> Json:
    return applied(schemas().kind(*DEPLOYMENT), OBJECT, value, DEPLOYMENT)


def patch(*operations: Json) -> Json:
    return patched(schemas().kind(*DEPLOYMENT), OBJECT, [Struct("JSONPatch", one) for one in operations])


def test_what_is_applied_joins_what_is_there() -> None:
    containers = [{"name": "two", "image": "new"}, {"name": "three", "image": "3"}]
    found = apply(struct({"spec": {"replicas": 5, "template": {"spec": {"containers": containers}}}}))
    assert found["spec"]["replicas"] == 5
    assert found["spec"]["selector"] == {"matchLabels": {"a": "b"}}
    images = {one["name"]: one["image"] for one in found["spec"]["template"]["spec"]["containers"]}
    assert images == {"one": "1", "two": "new", "three": "3"}
    assert OBJECT["spec"]["replicas"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("configuration", "place"),
    [
        ({"spec": {"selector": {"matchLabels": {"c": "d"}}}}, ".spec.selector"),
        ({"metadata": {"finalizers": ["a/b"]}}, ""),
        ({"spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}}, ".spec.template.spec.tolerations"),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "one", "command": ["x"]}]}}}},
            ".spec.template.spec.containers[1].command",
        ),
    ],
)
def test_what_is_replaced_as_a_whole_may_not_be_touched(configuration: Json, place: str) -> None:
    if not place:
        assert apply(struct(configuration))["metadata"]["finalizers"] == ["a/b"]
        return
    with pytest.raises(MutationError, match="may not mutate atomic arrays, maps or structs: ") as error:
        apply(struct(configuration))
    assert str(error.value).endswith(f": {place}")


def test_structs_are_of_their_places() -> None:
    with pytest.raises(MutationError, match=r'unexpected type name "Object.other", expected "Object.spec"'):
        apply(Struct("Object", {"spec": Struct("Object.other", {})}))
    wrong = [Struct("Object.spec.other", {"name": "a"})]
    with pytest.raises(MutationError, match=r'expected "Object.spec.containers"'):
        apply(Struct("Object", {"spec": Struct("Object.spec", {"containers": wrong})}))
    inner = Struct("Object.spec.template", {"spec": Struct("Object.spec.wrong", {})})
    with pytest.raises(MutationError, match=r'expected "Object.spec.template.spec"'):
        patch({"op": "add", "path": "/spec/template", "value": inner})


def test_what_the_schema_does_not_know() -> None:
    with pytest.raises(MutationError, match=r"failed to convert patch object to typed object: .spec.x: field not"):
        apply(struct({"spec": {"x": 1}}))
    with pytest.raises(InternalError, match=r'unknown field "spec.x"'):
        patch({"op": "add", "path": "/spec/x", "value": 1})


def test_operations() -> None:
    found = patch({"op": "replace", "path": "/spec/replicas", "value": 3}, {"op": "remove", "path": "/spec/selector"})
    assert (found["spec"]["replicas"], "selector" in found["spec"]) == (3, False)
    found = patch(
        {"op": "move", "from": "/spec/template/spec/containers/0", "path": "/spec/template/spec/containers/1"}
    )
    assert [one["name"] for one in found["spec"]["template"]["spec"]["containers"]] == ["two", "one"]
    assert patch({"op": "test", "path": "/spec/replicas", "value": 2}) is OBJECT
    with pytest.raises(MutationError, match="JSONPath: Unexpected kind: unknown"):
        patch({"path": "/spec"})
