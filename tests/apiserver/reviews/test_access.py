from typing import Any

import pytest

from pilothouse.api.authorization.subject_access_review import RESOURCE
from pilothouse.api.machinery.errors import Invalid
from pilothouse.apiserver.reviews.access import attributes_of
from pilothouse.apiserver.user import User

ANN = User("ann")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"nonResourceAttributes": {"verb": "get", "path": "/x"}}, ("get", "", "", "", "/x", False)),
        (
            {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "n", "name": "a"}},
            ("get", "pods", "n", "a", "", True),
        ),
    ],
)
def test_what_a_review_asks(spec: dict[str, Any], expected: tuple[Any, ...]) -> None:
    asked = attributes_of(spec, ANN, RESOURCE)
    assert (asked.verb, asked.resource, asked.namespace, asked.name, asked.path, asked.is_resource) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
        ({"nonResourceAttributes": {}, "resourceAttributes": {}}, "cannot be specified in combination with"),
    ],
)
def test_what_is_no_question(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        attributes_of(spec, ANN, RESOURCE)


@pytest.mark.parametrize(
    ("selector", "fields"),
    [
        ({"rawSelector": "spec.nodeName=a"}, [("spec.nodeName", "=", "a")]),
        ({"rawSelector": "nonsense"}, []),
        ({"requirements": [{"key": "k", "operator": "In", "values": ["v"]}]}, [("k", "=", "v")]),
        ({"requirements": [{"key": "k", "operator": "NotIn", "values": ["v"]}]}, [("k", "!=", "v")]),
        ({"requirements": [{"key": "k", "operator": "In", "values": ["v", "w"]}]}, []),
        ({"requirements": [{"key": "k", "operator": "Exists"}]}, []),
    ],
)
def test_selectors_of_what_is_asked(selector: dict[str, Any], fields: list[tuple[str, str, str]]) -> None:
    spec = {"resourceAttributes": {"verb": "list", "resource": "pods", "fieldSelector": selector}}
    assert list(attributes_of(spec, ANN, RESOURCE).fields) == fields
