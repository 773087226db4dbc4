"""sig-api-machinery: configurations of webhooks, as far as no webhook need answer."""

import base64
from collections.abc import Callable, Iterator

import pytest

from contract.api import Api, Json, Objects, Refused
from contract.conformance import Checks, conformance

GROUP = "admissionregistration.k8s.io"
VERSION = f"{GROUP}/v1"
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
HOOKS = {
    VALIDATING: ("validation-webhook-with-match-conditions.k8s.io", "/always-deny"),
    MUTATING: ("adding-configmap-data.k8s.io", "/mutating-configmaps"),
}
PRODUCTION = {"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}
STAGING = {"name": "expression-2", "expression": "object.metadata.namespace == 'staging'"}
NO_EXPRESSION = {"name": "invalid-expression-1", "expression": "... [] bad expression"}

Configure = Callable[[str, Json], Objects]


@pytest.fixture
def configure(api: Api, unique: str, namespace: str) -> Iterator[Configure]:
    """Makes a configuration of a kind with one webhook, which has that match condition; it goes with the test."""
    made: list[Objects] = []

    def make(kind: str, condition: Json) -> Objects:
        name, path = HOOKS[kind]
        service = {"namespace": namespace, "name": "e2e-test-webhook", "path": path, "port": 8443}
        hook: Json = {
            "name": name,
            "rules": [
                {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
            ],
            "clientConfig": {"service": service, "caBundle": base64.b64encode(b"nobody's").decode()},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {unique: "true"}},
            "matchConditions": [condition],
        }
        objects = api.objects(VERSION, kind)
        objects.create({"metadata": {"name": unique}, "webhooks": [hook]})
        made.append(objects)
        return objects

    yield make
    for objects in made:
        objects.delete(unique)


@conformance("AdmissionWebhook should include webhook resources in discovery documents")
def test_webhooks_are_discovered(api: Api, check: Checks) -> None:
    groups = {group["name"]: group for group in api.ask("/apis")["groups"]}
    check("group", "v1" in [version["version"] for version in groups[GROUP]["versions"]])
    group = api.ask(f"/apis/{GROUP}")
    check("version", (group["name"], "v1" in [version["version"] for version in group["versions"]]), (GROUP, True))
    found = api.ask(f"/apis/{VERSION}")
    check("group-version", found["groupVersion"], VERSION)
    wanted = {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}
    check("resources", wanted <= {resource["name"] for resource in found["resources"]})


def _keeps_conditions(check: Checks, objects: Objects, name: str) -> None:
    found = objects.get(name)
    check("made", found["webhooks"][0]["matchConditions"], [PRODUCTION])
    found["webhooks"][0]["matchConditions"] = [PRODUCTION, STAGING]
    objects.update(found)
    check("updated", objects.get(name)["webhooks"][0]["matchConditions"], [PRODUCTION, STAGING])


@conformance(
    "AdmissionWebhook should be able to create and update validating webhook configurations with match conditions"
)
def test_conditions_of_a_validating_webhook(check: Checks, configure: Configure, unique: str) -> None:
    _keeps_conditions(check, configure(VALIDATING, PRODUCTION), unique)


@conformance(
    "AdmissionWebhook should be able to create and update mutating webhook configurations with match conditions"
)
def test_conditions_of_a_mutating_webhook(check: Checks, configure: Configure, unique: str) -> None:
    _keeps_conditions(check, configure(MUTATING, PRODUCTION), unique)


@conformance("AdmissionWebhook should reject validating webhook configurations with invalid match conditions")
def test_no_condition_of_a_validating_webhook(check: Checks, configure: Configure) -> None:
    with pytest.raises(Refused) as refused:
        configure(VALIDATING, NO_EXPRESSION)
    check("refused", "compilation failed" in refused.value.text)


@conformance("AdmissionWebhook should reject mutating webhook configurations with invalid match conditions")
def test_no_condition_of_a_mutating_webhook(check: Checks, configure: Configure) -> None:
    with pytest.raises(Refused) as refused:
        configure(MUTATING, NO_EXPRESSION)
    check("refused", "compilation failed" in refused.value.text)
