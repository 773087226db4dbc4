"""Source of the cases: matching_test.go, rules_test.go, and the predicates' tests beside upstream's plugin."""

from typing import Any

import pytest

from fakes.admission import kinds, request
from fakes.served import schemas
from pilothouse.api.machinery.errors import NotFound, not_found
from pilothouse.apiserver.admission.dynamic.matching import Matcher, is_beyond_policies, is_beyond_webhooks
from pilothouse.apiserver.admission.dynamic.request import Request, Target

Json = dict[str, Any]
LABELS = {"default": {"stage": "test"}, "prod": {"stage": "prod"}}


def namespace(name: str) -> Json:
    if name not in LABELS:
        raise not_found("namespaces", "", name)
    return {"metadata": {"name": name, "labels": LABELS[name]}}


def rule(resources: str, operations: str = "*", groups: str = "*", versions: str = "*", **more: Any) -> Json:
    """Words apart by commas, the core group is `core`."""
    names = ["" if group == "core" else group for group in groups.split(",")]
    return {
        "operations": operations.split(","), "apiGroups": names, "apiVersions": versions.split(","),
        "resources": resources.split(","), **more,
    }  # fmt: skip


def asked(*arguments: Any, **named: Any) -> Request:
    return request(kinds(schemas()), *arguments, **named)


def matched(match: Json, of: Request) -> Target | None:
    return Matcher.of(match).match(of, namespace)


POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x", "labels": {"app": "web"}}}
SPACE = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "x", "labels": {"stage": "new"}}}


@pytest.mark.parametrize(
    ("rules", "of", "expected"),
    [
        (rule("pods"), ("/v1/pods", "CREATE"), True),
        (rule("*"), ("/v1/pods", "CREATE"), True),
        (rule("*"), ("/v1/pods/status", "UPDATE"), False),
        (rule("pods"), ("/v1/pods/status", "UPDATE"), False),
        (rule("pods/status"), ("/v1/pods/status", "UPDATE"), True),
        (rule("pods/status"), ("/v1/pods", "UPDATE"), False),
        (rule("pods/*"), ("/v1/pods", "UPDATE"), True),
        (rule("pods/*"), ("/v1/pods/status", "UPDATE"), True),
        (rule("*/status"), ("/v1/pods/status", "UPDATE"), True),
        (rule("*/status"), ("/v1/pods", "UPDATE"), False),
        (rule("*/*"), ("apps/v1/deployments/scale", "UPDATE"), True),
        (rule("services,pods"), ("/v1/pods", "CREATE"), True),
        (rule("pods", "UPDATE,DELETE"), ("/v1/pods", "CREATE"), False),
        (rule("pods", "UPDATE,CREATE"), ("/v1/pods", "CREATE"), True),
        (rule("pods", groups="apps"), ("/v1/pods", "CREATE"), False),
        (rule("pods", groups="core"), ("/v1/pods", "CREATE"), True),
        (rule("pods", versions="v2"), ("/v1/pods", "CREATE"), False),
        (rule("pods", scope="Namespaced"), ("/v1/pods", "CREATE"), True),
        (rule("pods", scope="Cluster"), ("/v1/pods", "CREATE"), False),
        (rule("nodes", scope="Namespaced"), ("/v1/nodes", "CREATE"), False),
        (rule("nodes", scope="Cluster"), ("/v1/nodes", "CREATE"), True),
        (rule("namespaces", scope="Cluster"), ("/v1/namespaces", "CREATE"), True),
        (rule("namespaces", scope="Namespaced"), ("/v1/namespaces", "CREATE"), False),
        (rule("pods", resourceNames=["y", "x"]), ("/v1/pods", "CREATE"), True),
        (rule("pods", resourceNames=["y"]), ("/v1/pods", "CREATE"), False),
        (rule("pods/binding", "CREATE"), ("/v1/pods/binding", "UPDATE"), True),
    ],
)
def test_rules(rules: Json, of: tuple[str, str], expected: bool) -> None:
    assert (matched({"resourceRules": [rules]}, asked(*of)) is not None) is expected


def test_without_rules_everything_matches() -> None:
    assert matched({}, asked("/v1/pods", "CREATE")) is not None
    assert Matcher.of(None).may_match(asked("/v1/pods", "CREATE"))


def test_what_is_excluded_does_not_match() -> None:
    match = {"resourceRules": [rule("*")], "excludeResourceRules": [rule("pods", resourceNames=["x"])]}
    assert matched(match, asked("/v1/pods", "CREATE")) is None
    assert matched(match, asked("/v1/pods", "CREATE", name="y")) is not None


@pytest.mark.parametrize(("policy", "expected"), [("Equivalent", "autoscaling/v1"), ("Exact", None), (None, None)])
def test_another_version_of_the_resource_matches_where_equivalents_do(policy: str, expected: str | None) -> None:
    match = {"resourceRules": [rule("horizontalpodautoscalers", versions="v1")], "matchPolicy": policy}
    of = asked("autoscaling/v2/horizontalpodautoscalers", "CREATE")
    found = matched(match, of)
    assert (found and found.kind.api_version) == expected
    assert Matcher.of(match).may_match(of) is (expected is not None)


def test_the_version_that_was_sent_comes_first() -> None:
    rules = [rule("horizontalpodautoscalers", versions="v1"), rule("horizontalpodautoscalers", versions="v2")]
    found = matched(
        {"resourceRules": rules, "matchPolicy": "Equivalent"},
        asked("autoscaling/v2/horizontalpodautoscalers", "CREATE"),
    )
    assert found is not None
    assert found.version == "v2"


def test_what_is_excluded_in_another_version_is() -> None:
    match = {
        "resourceRules": [rule("*")],
        "excludeResourceRules": [rule("events", groups="events.k8s.io")],
        "matchPolicy": "Equivalent",
    }
    assert matched(match, asked("/v1/events", "CREATE")) is None


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [(POD, None, True), (None, POD, True), ({"metadata": {}}, POD, True), ({"metadata": {}}, None, False)],
)
def test_objects_are_selected_as_they_are_or_were(new: Json | None, old: Json | None, expected: bool) -> None:
    match = {"resourceRules": [rule("*")], "objectSelector": {"matchLabels": {"app": "web"}}}
    assert (matched(match, asked("/v1/pods", "UPDATE", new, old)) is not None) is expected


def test_what_has_no_labels_is_selected_by_a_selector_of_all() -> None:
    assert matched({"objectSelector": {}}, asked("/v1/pods/exec", "CONNECT", {"command": ["ls"]})) is not None
    selector = {"objectSelector": {"matchLabels": {"app": "web"}}}
    assert matched(selector, asked("/v1/pods/exec", "CONNECT", {"command": ["ls"]})) is None


@pytest.mark.parametrize(
    ("what", "operation", "where", "expected"),
    [
        ("/v1/pods", "CREATE", "default", True),
        ("/v1/pods", "CREATE", "prod", False),
        ("/v1/nodes", "CREATE", "", True),
        ("/v1/namespaces", "CREATE", "", False),
        ("/v1/namespaces", "UPDATE", "", False),
    ],
)
def test_namespaces_are_selected(what: str, operation: str, where: str, expected: bool) -> None:
    match = {"resourceRules": [rule("*")], "namespaceSelector": {"matchLabels": {"stage": "test"}}}
    of = asked(what, operation, SPACE if "namespaces" in what else POD, namespace=where)
    assert (matched(match, of) is not None) is expected


def test_a_namespace_is_selected_by_the_labels_it_is_to_have() -> None:
    match = {"resourceRules": [rule("*")], "namespaceSelector": {"matchLabels": {"stage": "new"}}}
    assert matched(match, asked("/v1/namespaces", "CREATE", SPACE)) is not None
    going = asked("/v1/namespaces", "DELETE", None, SPACE, name="prod")
    assert matched(match, going) is None


def test_a_namespace_that_is_not_there_is_an_error_where_the_rest_matches() -> None:
    match = {"resourceRules": [rule("pods")], "namespaceSelector": {"matchLabels": {"stage": "test"}}}
    with pytest.raises(NotFound, match='namespaces "gone" not found'):
        matched(match, asked("/v1/pods", "DELETE", None, POD, namespace="gone"))
    assert matched(match, asked("/v1/services", "DELETE", None, POD, namespace="gone")) is None


@pytest.mark.parametrize(
    ("group", "plural", "policies", "webhooks"),
    [
        ("admissionregistration.k8s.io", "validatingadmissionpolicies", True, True),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", True, True),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations", False, True),
        ("authentication.k8s.io", "tokenreviews", True, False),
        ("authorization.k8s.io", "subjectaccessreviews", True, False),
        ("", "pods", False, False),
    ],
)
def test_what_nobody_is_asked_about(group: str, plural: str, policies: bool, webhooks: bool) -> None:
    assert is_beyond_policies(group, plural) is policies
    assert is_beyond_webhooks(group, plural) is webhooks
