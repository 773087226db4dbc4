"""sig-api-machinery: flow control and admission policies, as objects; and admission policies at work."""

from collections.abc import Callable, Iterator

import pytest

from contract.api import Api, Json, Refused, eventually
from contract.conformance import Checks, conformance
from contract.operations import Operations, condition

FLOW = "flowcontrol.apiserver.k8s.io/v1"
ADMISSION = "admissionregistration.k8s.io/v1"
LIMIT = "replicalimit-policy.example.com"
DEPLOYMENTS: Json = {
    "resourceRules": [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}
    ]
}


E2E: Json = {"status": "False", "reason": "E2E", "message": "Set from an e2e test"}


def _status_of(steps: Operations, time: Json) -> None:
    """The status: read, patched and updated. `time` is what its conditions need besides."""
    objects, check = steps.objects, steps.check
    found = objects.get(steps.name, "status")
    uid = steps.created["metadata"]["uid"]
    check("status-read", (found["kind"], found["metadata"]["uid"]), (steps.kind, uid))
    patched = {"type": "PatchStatusFailed", "status": "False", "reason": "e2e"}
    patch = {"status": {"conditions": [{**E2E, **patched, **time} if time else patched]}}
    check("status-patched", condition(objects.patch(steps.name, patch, part="status"), "PatchStatusFailed"))

    def add(item: Json) -> None:
        item["status"].setdefault("conditions", []).append({"type": "StatusUpdateFailed", **E2E, **time})

    check("status-updated", condition(objects.change(steps.name, add, "status"), "StatusUpdateFailed"))


@conformance("API priority and fairness should support FlowSchema API operations")
def test_flow_schemas(api: Api, check: Checks, unique: str) -> None:
    steps = Operations(api, check, FLOW, "FlowSchema", "flowschemas", unique, parts=("status",))
    steps.discovered()
    user = {"kind": "User", "user": {"name": "example-e2e-non-existent-user"}}
    rule = {"subjects": [user], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    level = {"priorityLevelConfiguration": {"name": "global-default"}, "distinguisherMethod": {"type": "ByUser"}}
    steps.made({"spec": {"matchingPrecedence": 10000, "rules": [rule], **level}})
    steps.changed(
        {"spec": {"matchingPrecedence": 9999}},
        patched=lambda item: item["spec"]["matchingPrecedence"] == 9999,
        edit=lambda item: item["spec"].update(matchingPrecedence=9000),
        updated=lambda item: item["spec"]["matchingPrecedence"] == 9000,
    )
    _status_of(steps, {})
    steps.ended_at_once()


@conformance("API priority and fairness should support PriorityLevelConfiguration API operations")
def test_priority_levels(api: Api, check: Checks, unique: str) -> None:
    kind = "PriorityLevelConfiguration"
    steps = Operations(api, check, FLOW, kind, "prioritylevelconfigurations", unique, parts=("status",))
    steps.discovered()
    limited = {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}
    steps.made({"spec": {"type": "Limited", "limited": limited}})
    steps.changed(
        {"spec": {"limited": {"nominalConcurrencyShares": 4}}},
        patched=lambda item: item["spec"]["limited"]["nominalConcurrencyShares"] == 4,
        edit=lambda item: item["spec"]["limited"].update(nominalConcurrencyShares=6),
        updated=lambda item: item["spec"]["limited"]["nominalConcurrencyShares"] == 6,
    )
    _status_of(steps, {})
    steps.ended_at_once()


@conformance("ValidatingAdmissionPolicy should support ValidatingAdmissionPolicy API operations")
def test_validating_policies(api: Api, check: Checks, unique: str) -> None:
    kind = "ValidatingAdmissionPolicy"
    steps = Operations(api, check, ADMISSION, kind, "validatingadmissionpolicies", unique, parts=("status",))
    steps.discovered()
    validations = [{"expression": "object.spec.replicas <= 100"}]
    steps.made({"spec": {"validations": validations, "matchConstraints": DEPLOYMENTS}})
    steps.changed(
        {"spec": {"failurePolicy": "Ignore"}},
        patched=lambda item: item["spec"]["failurePolicy"] == "Ignore",
        edit=lambda item: item["spec"].update(failurePolicy="Fail"),
        updated=lambda item: item["spec"]["failurePolicy"] == "Fail",
    )
    _status_of(steps, {"lastTransitionTime": "2024-01-01T00:00:00Z"})
    steps.ended()


@conformance("ValidatingAdmissionPolicy should support ValidatingAdmissionPolicyBinding API operations")
def test_validating_bindings(api: Api, check: Checks, unique: str) -> None:
    kind = "ValidatingAdmissionPolicyBinding"
    steps = Operations(api, check, ADMISSION, kind, "validatingadmissionpolicybindings", unique)
    steps.discovered()
    steps.made({"spec": {"policyName": LIMIT, "validationActions": ["Deny"]}})
    steps.changed(
        {"spec": {"validationActions": ["Warn"]}},
        patched=lambda item: item["spec"]["validationActions"] == ["Warn"],
        edit=lambda item: item["spec"].update(validationActions=["Deny"]),
        updated=lambda item: item["spec"]["validationActions"] == ["Deny"],
    )
    steps.ended()


@conformance("MutatingAdmissionPolicy should support MutatingAdmissionPolicy API operations")
def test_mutating_policies(api: Api, check: Checks, unique: str) -> None:
    kind = "MutatingAdmissionPolicy"
    steps = Operations(api, check, ADMISSION, kind, "mutatingadmissionpolicies", unique)
    steps.discovered()
    apply = {"expression": "Object{spec: Object.spec{replicas: 100}}"}
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": apply}]
    spec = {"reinvocationPolicy": "Never", "mutations": mutations, "matchConstraints": DEPLOYMENTS}
    steps.made({"spec": spec})
    steps.changed(
        {"spec": {"reinvocationPolicy": "IfNeeded"}},
        patched=lambda item: item["spec"]["reinvocationPolicy"] == "IfNeeded",
        edit=lambda item: item["spec"].update(reinvocationPolicy="Never"),
        updated=lambda item: item["spec"]["reinvocationPolicy"] == "Never",
    )
    steps.ended()


@conformance("MutatingAdmissionPolicy should support MutatingAdmissionPolicyBinding API operations")
def test_mutating_bindings(api: Api, check: Checks, unique: str) -> None:
    kind = "MutatingAdmissionPolicyBinding"
    steps = Operations(api, check, ADMISSION, kind, "mutatingadmissionpolicybindings", unique)
    steps.discovered()
    steps.made({"spec": {"policyName": LIMIT}})
    steps.changed(
        {"spec": {"policyName": "new-policy.example.com"}},
        patched=lambda item: item["spec"]["policyName"] == "new-policy.example.com",
        edit=lambda item: item["spec"].update(policyName=LIMIT),
        updated=lambda item: item["spec"]["policyName"] == LIMIT,
    )
    steps.ended()


Bind = Callable[[str, Json, Json], None]


@pytest.fixture
def bind(api: Api, unique: str) -> Iterator[Bind]:
    """Makes a policy for Deployments of labelled namespaces, and binds it; both go with the test."""
    made = []

    def make(kind: str, spec: Json, binding: Json) -> None:
        selector = {"namespaceSelector": {"matchLabels": {unique: "true"}}}
        rules = [{**DEPLOYMENTS["resourceRules"][0], "operations": ["CREATE", "UPDATE"]}]
        policies, bindings = api.objects(ADMISSION, kind), api.objects(ADMISSION, f"{kind}Binding")
        constraints = {"matchConstraints": {**selector, "resourceRules": rules}}
        policies.create({"metadata": {"name": f"{unique}.policy.example.com"}, "spec": {**spec, **constraints}})
        made.append((policies, f"{unique}.policy.example.com"))
        bound = {"policyName": f"{unique}.policy.example.com", "matchResources": selector, **binding}
        bindings.create({"metadata": {"name": f"{unique}.binding.example.com"}, "spec": bound})
        made.append((bindings, f"{unique}.binding.example.com"))

    yield make
    for objects, name in reversed(made):
        objects.delete(name)


@pytest.fixture
def labelled(new_namespace: Callable[..., str], unique: str) -> str:
    """A namespace that the test's policies select."""
    return new_namespace({unique: "true"})


def _workload(name: str, replicas: int) -> Json:
    labels = {"app": "nginx"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


class _Marker:
    """A Deployment that is made again and again until it meets the policy."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._deployments = api.objects("apps/v1", "Deployment", namespace)

    def made(self) -> Json:
        made = self._deployments.create(_workload("marker-deployment", 1))
        self._deployments.delete("marker-deployment")
        self._deployments.until_gone("marker-deployment", 30)
        return made

    def denied(self) -> bool:
        try:
            self.made()
        except Refused as error:
            if error.reason != "Invalid":
                raise
            return True
        return False


def _allowed(api: Api, check: Checks, namespace: str, replicas: int) -> None:
    api.objects("apps/v1", "Deployment", namespace).create(_workload("replicated", replicas))
    check("allowed", True)
    api.objects("apps/v1", "ReplicaSet", namespace).create(_workload("non-replicated", 1))
    check("not-of-others", True)


@conformance("ValidatingAdmissionPolicy should validate against a Deployment")
def test_a_policy_validates(api: Api, check: Checks, bind: Bind, labelled: str) -> None:
    message = "'wants replicas > 1, got ' + object.spec.replicas"
    validations = [{"expression": "object.spec.replicas > 1", "messageExpression": message}]
    bind("ValidatingAdmissionPolicy", {"validations": validations}, {"validationActions": ["Deny"]})
    eventually(_Marker(api, labelled).denied, api.limit(30))
    check("denied", True)
    _allowed(api, check, labelled, 2)


@conformance("ValidatingAdmissionPolicy should allow expressions to refer variables.")
def test_a_policy_has_variables(api: Api, check: Checks, bind: Bind, labelled: str) -> None:
    spec = {
        "variables": [
            {"name": "replicas", "expression": "object.spec.replicas"},
            {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
        ],
        "validations": [{"expression": "variables.replicas > 1"}, {"expression": "variables.oddReplicas"}],
    }
    bind("ValidatingAdmissionPolicy", spec, {"validationActions": ["Deny"]})
    eventually(_Marker(api, labelled).denied, api.limit(30))
    check("denied", True)
    _allowed(api, check, labelled, 3)


def _mutates(api: Api, bind: Bind, namespace: str, expression: str, reached: Callable[[Json], object]) -> None:
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}]
    bind("MutatingAdmissionPolicy", {"reinvocationPolicy": "Never", "mutations": mutations}, {})
    marker = _Marker(api, namespace)
    eventually(lambda: reached(marker.made()), api.limit(30))


@conformance("MutatingAdmissionPolicy should mutate a Deployment")
def test_a_policy_mutates(api: Api, check: Checks, bind: Bind, labelled: str) -> None:
    expression = "Object{spec: Object.spec{replicas: 1337}}"
    _mutates(api, bind, labelled, expression, lambda item: item["spec"]["replicas"] == 1337)
    check("mutated", True)


@conformance("MutatingAdmissionPolicy should mutate a Deployment with annotations")
def test_a_policy_annotates(api: Api, check: Checks, bind: Bind, labelled: str) -> None:
    expression = 'Object{metadata: Object.metadata{annotations: {"mutated-by": "admission-policy"}}}'
    wanted = {"mutated-by": "admission-policy"}
    _mutates(api, bind, labelled, expression, lambda item: item["metadata"].get("annotations") == wanted)
    check("mutated", True)
