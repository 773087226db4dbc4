"""What mutating policies build."""

from fakes.cel_expressions import complaint, evaluated
from pilothouse.api.machinery.cel.structs import JSON_PATCH, mutation_structs
from pilothouse.api.machinery.cel.values import Struct


def test_a_struct_knows_its_type_and_is_a_plain_map() -> None:
    made = evaluated("Object{spec: Object.spec{replicas: 3, ?paused: optional.none()}}")
    assert made == {"spec": {"replicas": 3}}
    assert made.type_name == "Object"
    assert isinstance(made["spec"], Struct)
    assert made["spec"].type_name == "Object.spec"


def test_fields_are_read_and_tested() -> None:
    assert evaluated("Object{a: 1}.a") == 1
    assert evaluated("has(Object{a: 1}.b)") is False
    assert evaluated("Object{a: 1} == Object{a: 1} && Object{a: 1} != Object{a: 2}") is True


def test_patches() -> None:
    made = evaluated("[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/~c'), value: Object{x: 1}}]")
    assert made == [{"op": "add", "path": "/a/b~1~0c", "value": {"x": 1}}]
    assert made[0].type_name == "JSONPatch"


def test_which_types_there_are() -> None:
    assert mutation_structs("JSONPatch") is JSON_PATCH
    assert mutation_structs("Object.spec.template") is not None
    assert mutation_structs("Objects") is None
    assert complaint("Objects{}") == "ERROR: <input>:1:8: undeclared reference to 'Objects' (in container '')"
