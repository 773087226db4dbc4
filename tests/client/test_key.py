from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.key import Key


def test_a_key_is_namespace_and_name() -> None:
    assert Key.of(Pod({"metadata": {"name": "a", "namespace": "b"}})) == Key("b", "a")
    assert str(Key("b", "a")) == "b/a"


def test_what_stands_in_no_namespace() -> None:
    assert Key.of(Node({"metadata": {"name": "a"}})) == Key("", "a")
    assert str(Key("", "a")) == "a"
