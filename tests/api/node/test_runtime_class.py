"""RuntimeClass. Source: pkg/apis/node/validation/validation_test.go."""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.node.runtime_class import RESOURCE


def test_validate() -> None:
    errors = FieldErrors()
    RESOURCE.validate({"handler": "runc", "scheduling": {"nodeSelector": {"a": "b"}}}, errors)
    assert errors == []
    RESOURCE.validate({"handler": "Runc", "scheduling": {"nodeSelector": {"-": "b"}}}, errors)
    assert [error.path for error in errors] == ["handler", "scheduling.nodeSelector"]


def test_overhead_and_tolerations() -> None:
    obj = {
        "handler": "runc",
        "overhead": {"podFixed": {"cpu": "0.5", "moon": "1"}},
        "scheduling": {"tolerations": [{"key": "a", "operator": "Near"}]},
    }
    RESOURCE.default(obj)
    assert obj["overhead"] == {"podFixed": {"cpu": "500m", "moon": "1"}}
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    assert {error.path for error in errors} == {"overhead.limits[moon]", "scheduling.tolerations[0].operator"}


def test_the_handler_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update({"handler": "kata"}, {"handler": "runc"}, errors)
    assert [str(error) for error in errors] == ['handler: Invalid value: "kata": field is immutable']


def test_columns() -> None:
    assert RESOURCE.columns[0].cell({"handler": "runc"}, 0) == "runc"


def test_a_toleration_is_there_once() -> None:
    errors = FieldErrors()
    toleration = {"key": "a", "operator": "Exists"}
    RESOURCE.validate({"handler": "runc", "scheduling": {"tolerations": [toleration, toleration]}}, errors)
    assert [str(error) for error in errors] == [
        (
            'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"",'
            '"TolerationSeconds":null}'
        )
    ]


def test_old_labels_are_warned_of() -> None:
    """Source: pkg/api/node/util_test.go."""
    assert RESOURCE.warn is not None
    assert RESOURCE.warn({"scheduling": {"nodeSelector": {"beta.kubernetes.io/os": "linux", "a": "b"}}}, None) == [
        'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead'
    ]
