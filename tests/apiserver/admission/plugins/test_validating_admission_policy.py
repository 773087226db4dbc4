"""Source of the texts: dispatcher.go and validator.go of upstream's plugin, and their tests."""

import json
from typing import Any

import pytest

from fakes.admission import write
from fakes.policies import ADMISSION, MAPS, Policed, run
from pilothouse.api.machinery.errors import Invalid

Json = dict[str, Any]
BIG = "object.data.size() < 2"


def denied(message: str, policy: str = "p", binding: str = "p-binding") -> str:
    return f"ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {message}"


def test_what_a_policy_denies_is_invalid_and_said_so() -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"validations": [{"expression": BIG}]})
        status, answer = await api.put_map(data={"a": "1", "b": "2"})
        message = denied(f"failed expression: {BIG}")
        assert (status, answer["reason"]) == (422, "Invalid")
        assert answer["message"] == f'configmaps "m" is forbidden: {message}'
        assert answer["details"] == {"name": "m", "kind": "configmaps", "causes": [{"message": message}]}
        assert (await api.put_map(data={"a": "1"}))[0] == 201

    run(story)


@pytest.mark.parametrize(
    ("validation", "code", "reason", "message"),
    [
        ({"message": " too big "}, 422, "Invalid", "too big"),
        ({"message": "m", "messageExpression": "'got ' + object.metadata.name"}, 422, "Invalid", "got m"),
        ({"message": "m", "messageExpression": "object.data.none + ''"}, 422, "Invalid", "m"),
        ({"message": "m", "messageExpression": "' '"}, 422, "Invalid", "m"),
        ({"message": "m", "messageExpression": "'a\\nb'"}, 422, "Invalid", "m"),
        ({"messageExpression": "'a\\nb'"}, 422, "Invalid", f"failed expression: {BIG}"),
        ({"reason": "Forbidden"}, 403, "Forbidden", f"failed expression: {BIG}"),
        ({"reason": "RequestEntityTooLarge"}, 413, "RequestEntityTooLarge", f"failed expression: {BIG}"),
    ],
)
def test_messages_and_reasons(validation: Json, code: int, reason: str, message: str) -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"validations": [{"expression": BIG, **validation}]})
        status, answer = await api.put_map(data={"a": "1", "b": "2"})
        assert (status, answer["code"], answer["reason"]) == (code, code, reason)
        assert answer["details"]["causes"] == [{"message": denied(message)}]

    run(story)


@pytest.mark.parametrize(
    ("policy", "code", "message"),
    [
        ("Fail", 422, "expression 'object.data.none == 1' resulted in error: no such key: none"),
        ("Ignore", 201, ""),
    ],
)
def test_what_cannot_be_evaluated_is_up_to_the_failure_policy(policy: str, code: int, message: str) -> None:
    async def story(api: Policed) -> None:
        validations = [{"expression": "object.data.none == 1"}]
        await api.validate("p", {"failurePolicy": policy, "validations": validations})
        status, answer = await api.put_map(data={"a": "1"})
        assert status == code
        assert not message or answer["details"]["causes"] == [{"message": denied(message)}]

    run(story)


@pytest.mark.parametrize(
    ("conditions", "policy", "code", "message"),
    [
        (["object.metadata.name == 'other'"], "Fail", 201, ""),
        (["true", "object.metadata.name == 'm'"], "Fail", 422, "failed expression: false"),
        (["object.data.none == 1", "false"], "Fail", 201, ""),
        (
            ["object.data.none == 1", "true"],
            "Fail",
            422,
            "expression 'object.data.none == 1' resulted in error: no such key: none",
        ),
        (["object.data.none == 1", "true"], "Ignore", 201, ""),
    ],
)
def test_match_conditions(conditions: list[str], policy: str, code: int, message: str) -> None:
    async def story(api: Policed) -> None:
        named = [{"name": f"c{number}", "expression": text} for number, text in enumerate(conditions)]
        spec = {"failurePolicy": policy, "matchConditions": named, "validations": [{"expression": "false"}]}
        await api.validate("p", spec)
        status, answer = await api.put_map(data={"a": "1"})
        assert status == code
        assert not message or answer["details"]["causes"] == [{"message": denied(message)}]

    run(story)


@pytest.mark.parametrize(
    "expression",
    [
        "oldObject == null && object.data.a == '1'",
        "request.operation == 'CREATE' && request.kind.kind == 'ConfigMap'",
        "request.resource.resource == 'configmaps'",
        "request.userInfo.username == 'jane' && 'dev' in request.userInfo.groups",
        "request.name == 'm' && request.namespace == 'default' && request.dryRun == false",
        "request.options.kind == 'CreateOptions'",
        "!has(request.subResource) && request.requestKind.version == 'v1'",
        "namespaceObject.metadata.name == 'default' && namespaceObject.metadata.labels.stage == 'test'",
        "namespaceObject.status.phase == 'Active'",
        "variables.double == 'aa' && variables.longer == 3",
        "authorizer.group('').resource('pods').namespace('default').check('allow').allowed()",
        "!authorizer.group('').resource('pods').check('get').allowed()",
        "authorizer.group('').resource('pods').check('get').reason() == 'may not'",
        "authorizer.group('').resource('pods').name('mine').check('get').allowed()",
        "authorizer.path('/healthz').check('allow').allowed()",
        "authorizer.serviceAccount('default', 'a').group('').resource('pods').check('allow').allowed()",
        "authorizer.group('').resource('pods').subresource('allow').check('get').allowed()",
        "authorizer.requestResource.check('allow').allowed() && !authorizer.requestResource.check('get').allowed()",
    ],
)
def test_what_expressions_may_speak_of(expression: str) -> None:
    async def story(api: Policed) -> None:
        variables = [
            {"name": "double", "expression": "'a' + 'a'"},
            {"name": "longer", "expression": "variables.double.size() + 1"},
            {"name": "broken", "expression": "object.data.none"},
        ]
        await api.validate("p", {"variables": variables, "validations": [{"expression": expression}]})
        status, answer = await api.put_map(data={"a": "1"})
        assert status == 201, answer["message"]

    run(story)


def test_a_variable_that_fails_is_told_where_it_is_used() -> None:
    async def story(api: Policed) -> None:
        variables = [{"name": "broken", "expression": "object.data.none"}]
        await api.validate("p", {"variables": variables, "validations": [{"expression": "variables.broken == 1"}]})
        _, answer = await api.put_map(data={"a": "1"})
        why = 'composited variable "broken" fails to evaluate: no such key: none'
        message = f"expression 'variables.broken == 1' resulted in error: {why}"
        assert answer["details"]["causes"] == [{"message": denied(message)}]

    run(story)


def test_updates_and_deletions() -> None:
    async def story(api: Policed) -> None:
        await api.put_map(data={"a": "1"})
        expression = "request.operation == 'DELETE' ? oldObject.data.a == '2' : object.data.a != oldObject.data.a"
        await api.validate("p", {"validations": [{"expression": expression}]})
        assert (await api.ask("DELETE", f"{MAPS}/m"))[0] == 422
        merge = "application/merge-patch+json"
        assert (await api.ask("PATCH", f"{MAPS}/m", {"data": {"b": "1"}}, merge))[0] == 422
        assert (await api.ask("PATCH", f"{MAPS}/m", {"data": {"a": "2"}}, merge))[0] == 200
        assert (await api.ask("DELETE", f"{MAPS}/m"))[0] == 200

    run(story)


def test_warnings_and_audit_annotations() -> None:
    async def story(api: Policed) -> None:
        validations = [{"expression": "true"}, {"expression": "false", "message": "a < b"}]
        await api.validate("p", {"validations": validations}, {"validationActions": ["Warn", "Audit"]})
        status, _ = await api.put_map()
        assert status == 201
        who = "ValidatingAdmissionPolicy 'p' with binding 'p-binding'"
        assert api.warnings == [f"Validation failed for {who}: a < b"]
        noted = api.notes["validation.policy.admission.k8s.io/validation_failure"]
        assert noted.startswith('[{"message":"a \\u003c b","policy":"p",')
        assert json.loads(noted) == [
            {
                "message": "a < b", "policy": "p", "binding": "p-binding", "expressionIndex": 1,
                "validationActions": ["Warn", "Audit"],
            }
        ]  # fmt: skip

    run(story)


def test_a_deletion_is_warned_of_too() -> None:
    async def story(api: Policed) -> None:
        await api.put_map()
        validations = [{"expression": "false", "message": "think again"}]
        await api.validate("p", {"validations": validations}, {"validationActions": ["Warn"]})
        await api.ask("DELETE", f"{MAPS}/m")
        assert api.headers["warning"].endswith(': think again"')

    run(story)


def test_a_warning_that_cannot_stand_in_a_header_does_not_spoil_the_answer() -> None:
    async def story(api: Policed) -> None:
        validations = [{"expression": "false\n&& true"}, {"expression": "'\u2192' == ''"}]
        await api.validate("p", {"validations": validations}, {"validationActions": ["Warn"]})
        assert (await api.put_map())[0] == 201
        found = api.headers["warning"].encode("latin-1").decode()
        assert found.count("299") == 1
        assert found.endswith("failed expression: '\u2192' == ''\"")

    run(story)


def test_a_policys_own_audit_annotations() -> None:
    async def story(api: Policed) -> None:
        annotations = [
            {"key": "name", "valueExpression": "' is ' + params.metadata.name"},
            {"key": "none", "valueExpression": "has(object.data) ? 'some' : ''"},
            {"key": "long", "valueExpression": "'' + params.data.long"},
        ]
        await api.put_map("one", data={"long": "x" * 20_000})
        await api.put_map("two", data={"long": "x" * 20_000})
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        reference = {"selector": {}, "namespace": "default", "parameterNotFoundAction": "Allow"}
        await api.validate("p", {"paramKind": kind, "auditAnnotations": annotations}, {"paramRef": reference})
        assert (await api.put_map())[0] == 201
        assert api.notes == {"p/name": "is one, is two", "p/long": "x" * 10_240}

    run(story)


@pytest.mark.parametrize(("policy", "code"), [("Fail", 422), ("Ignore", 201)])
def test_an_annotation_that_fails_is_up_to_the_failure_policy(policy: str, code: int) -> None:
    async def story(api: Policed) -> None:
        annotations = [{"key": "k", "valueExpression": "object.data.none + 'a'"}]
        await api.validate("p", {"failurePolicy": policy, "auditAnnotations": annotations})
        assert (await api.put_map(data={}))[0] == code

    run(story)


KIND = {"apiVersion": "v1", "kind": "ConfigMap"}
LIMIT = {"expression": "object.data.size() <= int(params.data.most)"}


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"name": "limit"}, 422),
        ({"name": "limit", "namespace": "default"}, 422),
        ({"selector": {"matchLabels": {"is": "limit"}}}, 422),
        ({"selector": {"matchLabels": {"is": "none"}}}, 201),
        ({"name": "none"}, 201),
    ],
)
def test_parameters(reference: Json, code: int) -> None:
    async def story(api: Policed) -> None:
        limit = {"metadata": {"name": "limit", "labels": {"is": "limit"}}, "data": {"most": "1"}}
        await api.make(MAPS, limit)
        bound = {"paramRef": {"parameterNotFoundAction": "Allow", **reference}}
        await api.validate("p", {"paramKind": KIND, "validations": [LIMIT]}, bound)
        assert (await api.put_map(data={"a": "1", "b": "2"}))[0] == code
        assert (await api.put_map("small", data={"a": "1"}))[0] == 201

    run(story)


@pytest.mark.parametrize(
    ("kind", "reference", "message"),
    [
        (
            KIND,
            {"name": "none", "parameterNotFoundAction": "Deny"},
            denied(
                "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
            ),
        ),
        (
            {"apiVersion": "v1", "kind": "Node"},
            {"name": "n", "namespace": "default", "parameterNotFoundAction": "Allow"},
            denied(
                "failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            ),
        ),
        (
            {"apiVersion": "example.com/v1", "kind": "Limit"},
            {"name": "n", "parameterNotFoundAction": "Allow"},
            (
                "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource "
                "referenced by paramKind: 'example.com/v1, Kind=Limit'"
            ),
        ),
    ],
)
@pytest.mark.parametrize("policy", ["Fail", "Ignore"])
def test_parameters_that_cannot_be_had(kind: Json, reference: Json, message: str, policy: str) -> None:
    async def story(api: Policed) -> None:
        spec = {"failurePolicy": policy, "paramKind": kind, "validations": [{"expression": "false"}]}
        await api.validate("p", spec, {"paramRef": reference})
        status, answer = await api.put_map()
        assert status == (422 if policy == "Fail" else 201)
        assert policy == "Ignore" or answer["details"]["causes"] == [{"message": message}]

    run(story)


def test_parameters_of_a_namespace_for_what_has_none() -> None:
    async def story(api: Policed) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["nodes"]}]
        spec = {"matchConstraints": {"resourceRules": rules}, "paramKind": KIND, "validations": [LIMIT]}
        await api.validate("p", spec, {"paramRef": {"name": "limit", "parameterNotFoundAction": "Allow"}})
        _, answer = await api.ask("POST", "/api/v1/nodes", {"metadata": {"name": "n"}})
        why = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        assert answer["details"]["causes"] == [{"message": denied(f"failed to configure binding: {why}")}]

    run(story)


def test_a_binding_without_parameters_evaluates_with_none() -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"paramKind": KIND, "validations": [{"expression": "params != null"}]})
        assert (await api.put_map())[0] == 422

    run(story)


def test_bindings_narrow_what_their_policy_matches() -> None:
    async def story(api: Policed) -> None:
        selector = {"objectSelector": {"matchLabels": {"checked": "yes"}}}
        await api.validate("p", {"validations": [{"expression": "false"}]}, {"matchResources": selector})
        assert (await api.put_map())[0] == 201
        assert (await api.put_map("n", metadata={"name": "n", "labels": {"checked": "yes"}}))[0] == 422

    run(story)


def test_policies_follow_what_is_written() -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"validations": [{"expression": "false", "message": "one"}]})
        assert "one" in (await api.put_map())[1]["message"]
        patch, merge = (
            {"spec": {"validations": [{"expression": "false", "message": "two"}]}},
            "application/merge-patch+json",
        )
        await api.ask("PATCH", f"{ADMISSION}/validatingadmissionpolicies/p", patch, merge)
        assert "two" in (await api.put_map())[1]["message"]
        await api.ask("DELETE", f"{ADMISSION}/validatingadmissionpolicybindings/p-binding")
        assert (await api.put_map())[0] == 201

    run(story)


def test_the_first_denial_by_name_is_the_answer() -> None:
    async def story(api: Policed) -> None:
        for name in ("b", "a"):
            await api.validate(name, {"validations": [{"expression": "false"}]})
        _, answer = await api.put_map()
        assert answer["details"]["causes"] == [{"message": denied("failed expression: false", "a", "a-binding")}]

    run(story)


def test_policies_are_not_asked_about_policies() -> None:
    async def story(api: Policed) -> None:
        rules = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]
        spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false"}]}
        await api.validate("p", spec)
        assert (await api.put_map())[0] == 422
        assert (await api.ask("DELETE", f"{ADMISSION}/validatingadmissionpolicies/p"))[0] == 200
        assert (await api.put_map())[0] == 201

    run(story)


def test_another_version_is_shown_as_the_rules_have_it() -> None:
    async def story(api: Policed) -> None:
        rules = [{
            "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "operations": ["*"],
            "resources": ["horizontalpodautoscalers"],
        }]  # fmt: skip
        expression = (
            "object.apiVersion == 'autoscaling/v1' && object.spec.targetCPUUtilizationPercentage < 60"
            " && request.kind.version == 'v1' && request.requestKind.version == 'v2'"
        )
        spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": expression}]}
        await api.validate("p", spec)
        scaler = {
            "metadata": {"name": "x"},
            "spec": {
                "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50},
                }}],
            },
        }  # fmt: skip
        target = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
        status, answer = await api.ask("POST", target, scaler)
        assert status == 201, answer["message"]
        scaler["metadata"] = {"name": "y"}
        scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 70  # type: ignore[index]
        assert (await api.ask("POST", target, scaler))[0] == 422

    run(story)


def test_subresources() -> None:
    async def story(api: Policed) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["nodes/status"]}]
        validations = [{"expression": "request.subResource != 'status' || !has(object.status.phase)"}]
        await api.validate("p", {"matchConstraints": {"resourceRules": rules}, "validations": validations})
        await api.make("/api/v1/nodes", {"metadata": {"name": "n"}})
        merge = "application/merge-patch+json"
        assert (await api.ask("PATCH", "/api/v1/nodes/n", {"metadata": {"labels": {"a": "b"}}}, merge))[0] == 200
        assert (await api.ask("PATCH", "/api/v1/nodes/n/status", {"status": {"phase": "Running"}}, merge))[0] == 422

    run(story)


def test_a_collection_is_deleted_one_by_one() -> None:
    async def story(api: Policed) -> None:
        await api.put_map("a")
        await api.put_map("b")
        await api.validate("p", {"validations": [{"expression": "oldObject.metadata.name == 'a'"}]})
        assert (await api.ask("DELETE", MAPS))[0] == 422
        _, left = await api.ask("GET", MAPS)
        assert [item["metadata"]["name"] for item in left["items"]] == ["b"]

    run(story)


def test_connections() -> None:
    async def story(api: Policed) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CONNECT"], "resources": ["pods/exec"]}]
        expression = "object.kind == 'PodExecOptions' && !('sh' in object.command) && request.name == 'web'"
        spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": expression}]}
        await api.validate("p", spec)

        async def connect(command: str) -> None:
            options = {"kind": "PodExecOptions", "apiVersion": "v1", "command": [command]}
            await api.validating.validate(write("/v1/pods/exec", "CONNECT", options, name="web"))

        await connect("ls")
        with pytest.raises(Invalid, match='pods "web" is forbidden: ValidatingAdmissionPolicy'):
            await connect("sh")

    run(story)


def test_a_dry_run_is_judged_too() -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"validations": [{"expression": "!request.dryRun"}]})
        assert (await api.ask("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "m"}}))[0] == 422
        assert (await api.put_map())[0] == 201

    run(story)


def test_too_dear_an_expression() -> None:
    async def story(api: Policed) -> None:
        dear = "[1,2,3,4,5,6,7,8,9,10]"
        nested = f"{dear}.all(a, {dear}.all(b, {dear}.all(c, {dear}.all(d, {dear}.all(e, {dear}.all(f, true))))))"
        await api.validate("p", {"validations": [{"expression": nested}]})
        _, answer = await api.put_map()
        why = f"expression '{nested}' resulted in error: operation cancelled: actual cost limit exceeded"
        assert answer["details"]["causes"] == [{"message": denied(why)}]

    run(story)


def test_the_budget_of_all_expressions() -> None:
    async def story(api: Policed) -> None:
        dear = "[1,2,3,4,5,6,7,8,9,10]"
        nested = f"{dear}.all(a, {dear}.all(b, {dear}.all(c, {dear}.all(d, {dear}.all(e, true)))))"
        await api.validate("p", {"validations": [{"expression": nested}] * 40})
        _, answer = await api.put_map()
        why = "validation failed due to running out of cost budget, no further validation rules will be run"
        assert answer["details"]["causes"] == [{"message": denied(why)}]

    run(story)


def test_numbers() -> None:
    async def story(api: Policed) -> None:
        await api.validate("p", {"validations": [{"expression": "object.metadata.name != 'm'"}]})
        await api.put_map()
        await api.put_map("n")
        labels = '{enforcement_action="deny",error_type="invalid_error",policy="p",policy_binding="p-binding"} 1.0'
        assert f"apiserver_validating_admission_policy_check_total{labels}" in api.server.metrics.page().decode()

    run(story)
