"""Source of the texts: dispatcher.go, patch/smd.go and patch/json_patch.go of upstream's plugin, and their tests."""

from typing import Any

import orjson
import pytest

from fakes.admission import write
from fakes.policies import ADMISSION, MAPS, Policed, mutation, run
from fakes.whole_api import WholeApi, served
from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Write

Json = dict[str, Any]
LABEL = 'Object{metadata: Object.metadata{labels: {"made": "by-policy"}}}'
PODS = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}]}
POD = {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i", "args": ["a"]}]}}
POD_TARGET = "/api/v1/namespaces/default/pods"


def denied(message: str, policy: str = "p", binding: str = "p-binding") -> str:
    return f"policy '{policy}' with binding '{binding}' denied request: {message}"


def add(path: str, value: str) -> str:
    return f'[JSONPatch{{op: "add", path: "{path}", value: {value}}}]'


def test_an_apply_configuration_is_merged() -> None:
    async def story(api: Policed) -> None:
        await api.mutate("p", {"mutations": mutation(applyConfiguration=LABEL)})
        status, made = await api.put_map(metadata={"name": "m", "labels": {"own": "1"}}, data={"a": "1"})
        assert status == 201
        assert made["metadata"]["labels"] == {"own": "1", "made": "by-policy"}
        assert made["data"] == {"a": "1"}
        assert (await api.ask("GET", f"{MAPS}/m"))[1] == made

    run(story)


def test_items_of_lists_are_merged_by_their_keys() -> None:
    async def story(api: Policed) -> None:
        container = 'Object.spec.containers{name: object.spec.containers[0].name, imagePullPolicy: "Never"}'
        expression = f"Object{{spec: Object.spec{{containers: [{container}]}}}}"
        await api.mutate("p", {"matchConstraints": PODS, "mutations": mutation(applyConfiguration=expression)})
        status, made = await api.ask("POST", POD_TARGET, POD)
        assert status == 201, made
        (found,) = made["spec"]["containers"]
        assert (found["image"], found["args"], found["imagePullPolicy"]) == ("i", ["a"], "Never")

    run(story)


def test_what_is_added_is_defaulted() -> None:
    async def story(api: Policed) -> None:
        container = 'Object.spec.containers{name: "side", image: "s"}'
        expression = f"Object{{spec: Object.spec{{containers: [{container}]}}}}"
        await api.mutate("p", {"matchConstraints": PODS, "mutations": mutation(applyConfiguration=expression)})
        _, made = await api.ask("POST", POD_TARGET, POD)
        side = next(one for one in made["spec"]["containers"] if one["name"] == "side")
        assert side["terminationMessagePolicy"] == "File"

    run(story)


def test_a_json_patch() -> None:
    async def story(api: Policed) -> None:
        operations = [
            'op: "add", path: "/metadata/labels", value: {}',
            'op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/a"), value: "1"',
            'op: "copy", from: "/data/a", path: "/data/b"',
        ]
        expression = f"[{', '.join(f'JSONPatch{{{one}}}' for one in operations)}]"
        await api.mutate("p", {"mutations": mutation(jsonPatch=expression)})
        _, made = await api.put_map(data={"a": "1"})
        assert made["metadata"]["labels"] == {"example.com/a": "1"}
        assert made["data"] == {"a": "1", "b": "1"}

    run(story)


def test_a_struct_in_a_json_patch() -> None:
    async def story(api: Policed) -> None:
        struct = 'Object.spec.tolerations{key: "k", operator: "Exists"}'
        expression = add("/spec/tolerations", f"[{struct}]")
        await api.mutate("p", {"matchConstraints": PODS, "mutations": mutation(jsonPatch=expression)})
        _, made = await api.ask("POST", POD_TARGET, POD)
        assert made["spec"]["tolerations"] == [{"key": "k", "operator": "Exists"}]

    run(story)


def test_a_json_patch_whose_test_fails_changes_nothing() -> None:
    async def story(api: Policed) -> None:
        test = '[JSONPatch{op: "test", path: "/data/a", value: "2"}, JSONPatch{op: "remove", path: "/data/a"}]'
        await api.mutate("p", {"mutations": mutation(jsonPatch=test)})
        assert (await api.put_map(data={"a": "1"}))[1]["data"] == {"a": "1"}
        assert "data" not in (await api.put_map("n", data={"a": "2"}))[1]

    run(story)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            {"applyConfiguration": "Object{data: {'a': object.data.none}}"},
            "expression 'Object{data: {'a': object.data.none}}' resulted in error: no such key: none",
        ),
        (
            {"applyConfiguration": "Object{data: Object.wrong{a: '1'}}"},
            (
                'type mismatch: unexpected type name "Object.wrong", expected "Object.data", which matches field name '
                "path from root Object type"
            ),
        ),
        (
            {"applyConfiguration": "Object{nothing: '1'}"},
            (
                "error applying patch: failed to convert patch object to typed object: .nothing: field not declared "
                "in schema"
            ),
        ),
        (
            {"jsonPatch": '[JSONPatch{op: "remove", path: "/data/b"}]'},
            "JSONPath: error in remove for path: '/data/b': Unable to remove nonexistent key: b: missing value",
        ),
    ],
)
@pytest.mark.parametrize("policy", ["Fail", "Ignore"])
def test_what_cannot_be_carried_out(made: dict[str, str], message: str, policy: str) -> None:
    async def story(api: Policed) -> None:
        await api.mutate("p", {"failurePolicy": policy, "mutations": mutation(**made)})
        status, answer = await api.put_map(data={"a": "1"})
        if policy == "Ignore":
            assert (status, answer["data"]) == (201, {"a": "1"})
            return
        assert (status, answer["code"], answer["reason"], answer["message"]) == (403, 403, "Invalid", denied(message))
        assert answer["details"] == {"name": "m", "kind": "configmaps", "causes": [{"message": denied(message)}]}

    run(story)


def test_what_is_replaced_as_a_whole_may_not_be_in_a_configuration() -> None:
    async def story(api: Policed) -> None:
        container = "Object.spec.containers{name: 'c', args: ['b']}"
        expression = f"Object{{spec: Object.spec{{containers: [{container}]}}}}"
        await api.mutate("p", {"matchConstraints": PODS, "mutations": mutation(applyConfiguration=expression)})
        _, answer = await api.ask("POST", POD_TARGET, POD)
        why = "may not mutate atomic arrays, maps or structs: .spec.containers[0].args"
        assert answer["message"] == denied(f"error applying patch: invalid ApplyConfiguration: {why}")

    run(story)


def test_a_patch_to_what_is_no_such_object_is_an_internal_error() -> None:
    async def story(api: Policed) -> None:
        await api.mutate("p", {"mutations": mutation(jsonPatch=add("/nothing", "1"))})
        status, answer = await api.put_map()
        assert (status, answer["reason"]) == (500, "InternalError")
        assert 'unknown field "nothing"' in answer["message"]

    run(story)


def test_policies_run_in_the_order_of_their_names_each_on_what_the_one_before_left() -> None:
    async def story(api: Policed) -> None:
        for name in ("b", "a", "c"):
            expression = f"Object{{data: {{'seen': object.data.seen + '{name}'}}}}"
            await api.mutate(name, {"mutations": mutation(applyConfiguration=expression)})
        assert (await api.put_map(data={"seen": ""}))[1]["data"] == {"seen": "abc"}

    run(story)


def test_who_wants_to_is_asked_again_after_others_have_changed_something() -> None:
    async def story(api: Policed) -> None:
        count = "Object{data: {'count': string(int(object.data.count) + 1)}}"
        await api.mutate("a", {"reinvocationPolicy": "IfNeeded", "mutations": mutation(applyConfiguration=count)})
        other = "Object{data: {'other': '1'}}"
        await api.mutate("b", {"mutations": mutation(applyConfiguration=other)})
        assert (await api.put_map(data={"count": "0"}))[1]["data"] == {"count": "2", "other": "1"}

    run(story)


def test_a_policy_that_says_never_has_one_look() -> None:
    async def story(api: Policed) -> None:
        count = "Object{data: {'count': string(int(object.data.count) + 1)}}"
        await api.mutate("a", {"reinvocationPolicy": "Never", "mutations": mutation(applyConfiguration=count)})
        await api.mutate("b", {"mutations": mutation(applyConfiguration="Object{data: {'other': '1'}}")})
        assert (await api.put_map(data={"count": "0"}))[1]["data"] == {"count": "1", "other": "1"}

    run(story)


class Counting(Admission):
    """Stands for a plugin of the server's own."""

    name = "Counting"
    order = 5

    async def mutate(self, write: Write) -> None:
        assert write.new is not None
        if write.resource.plural == "configmaps":
            data = write.new.setdefault("data", {})
            data["rounds"] = data.get("rounds", "") + "i"


def test_the_servers_plugins_look_again_at_what_policies_changed() -> None:
    async def story(api: Policed) -> None:
        assert (await api.put_map("before"))[1]["data"]["rounds"] == "i"
        await api.mutate("p", {"mutations": mutation(applyConfiguration=LABEL)})
        assert (await api.put_map())[1]["data"]["rounds"] == "ii"

    run(story, Counting)


def test_match_conditions() -> None:
    async def story(api: Policed) -> None:
        conditions = [{"name": "c", "expression": "object.metadata.name == 'm'"}]
        await api.mutate("p", {"matchConditions": conditions, "mutations": mutation(applyConfiguration=LABEL)})
        assert "labels" in (await api.put_map())[1]["metadata"]
        assert "labels" not in (await api.put_map("n"))[1]["metadata"]

    run(story)


def test_a_condition_that_fails_is_refused() -> None:
    async def story(api: Policed) -> None:
        conditions = [{"name": "c", "expression": "object.data.none == 1"}]
        await api.mutate("p", {"matchConditions": conditions, "mutations": mutation(applyConfiguration=LABEL)})
        status, answer = await api.put_map(data={"a": "1"})
        assert status == 403
        assert answer["message"] == denied("expression 'object.data.none == 1' resulted in error: no such key: none")

    run(story)


def test_parameters_and_variables() -> None:
    async def story(api: Policed) -> None:
        await api.put_map("values", data={"label": "x"})
        await api.put_map("more", data={"label": "y"})
        variables = [{"name": "key", "expression": "'is-' + params.metadata.name"}]
        expression = "Object{metadata: Object.metadata{labels: {variables.key: params.data.label}}}"
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        reference = {"selector": {}, "parameterNotFoundAction": "Deny"}
        spec = {"paramKind": kind, "variables": variables, "mutations": mutation(applyConfiguration=expression)}
        await api.mutate("p", spec, {"paramRef": reference})
        assert (await api.put_map())[1]["metadata"]["labels"] == {"is-values": "x", "is-more": "y"}

    run(story)


def test_a_policy_without_its_parameters() -> None:
    async def story(api: Policed) -> None:
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        reference = {"name": "none", "parameterNotFoundAction": "Deny"}
        await api.mutate(
            "p", {"paramKind": kind, "mutations": mutation(applyConfiguration=LABEL)}, {"paramRef": reference}
        )
        status, answer = await api.put_map()
        why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        assert (status, answer["reason"], answer["message"]) == (403, "Forbidden", denied(why))

    run(story)


def test_a_kind_of_parameters_that_nobody_knows() -> None:
    """*assumed*: the quotes about a policy that is told of without a binding."""

    async def story(api: Policed) -> None:
        spec = {"paramKind": {"apiVersion": "a.b/v1", "kind": "K"}, "mutations": mutation(applyConfiguration=LABEL)}
        await api.mutate("p", spec, {"paramRef": {"name": "n", "parameterNotFoundAction": "Allow"}})
        status, answer = await api.put_map()
        why = "failed to find resource referenced by paramKind: 'a.b/v1, Kind=K'"
        assert status == 403
        assert answer["message"] == f'policy "p" denied request: failed to configure policy: {why}'

    run(story)


def test_a_scale_is_changed_as_one() -> None:
    async def story(api: Policed) -> None:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        target = "/apis/apps/v1/namespaces/default/deployments"
        await api.make(target, {"metadata": {"name": "web"}, "spec": spec})
        rules = [
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments/scale"]}
        ]
        expression = "Object{spec: Object.spec{replicas: object.spec.replicas + oldObject.spec.replicas}}"
        made = {"matchConstraints": {"resourceRules": rules}, "mutations": mutation(applyConfiguration=expression)}
        await api.mutate("p", made)
        scale = {"metadata": {"name": "web"}, "spec": {"replicas": 4}}
        status, answer = await api.ask("PUT", f"{target}/web/scale", scale)
        assert (status, answer["spec"]["replicas"]) == (200, 5)
        assert (await api.ask("GET", f"{target}/web"))[1]["spec"]["replicas"] == 5

    run(story)


def test_an_update_is_changed_and_a_deletion_is_not() -> None:
    async def story(api: Policed) -> None:
        await api.put_map()
        await api.mutate("p", {"mutations": mutation(applyConfiguration=LABEL)})
        merge = "application/merge-patch+json"
        _, changed = await api.ask("PATCH", f"{MAPS}/m", {"data": {"a": "1"}}, merge)
        assert changed["metadata"]["labels"] == {"made": "by-policy"}
        assert (await api.ask("DELETE", f"{MAPS}/m"))[0] == 200

    run(story)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/metadata/name", "'other'", "metadata.name: Invalid value"),
        ("/metadata/uid", "'other'", "metadata.uid: Invalid value"),
    ],
)
def test_what_an_object_is_may_not_be_changed(path: str, value: str, message: str) -> None:
    async def story(api: Policed) -> None:
        await api.put_map()
        await api.mutate("p", {"mutations": mutation(jsonPatch=add(path, value))})
        merge = "application/merge-patch+json"
        status, answer = await api.ask("PATCH", f"{MAPS}/m", {"data": {"a": "1"}}, merge)
        assert status == 422
        assert message in answer["message"]

    run(story)


def test_a_new_object_may_get_another_name_but_not_another_namespace() -> None:
    async def story(api: Policed) -> None:
        await api.mutate("p", {"mutations": mutation(jsonPatch=add("/metadata/name", "'other'"))})
        assert (await api.put_map())[0] == 201
        assert (await api.ask("GET", f"{MAPS}/other"))[0] == 200
        assert (await api.ask("GET", f"{MAPS}/m"))[0] == 404
        await api.mutate("q", {"mutations": mutation(jsonPatch=add("/metadata/namespace", "'other'"))})
        status, answer = await api.put_map("n")
        assert status == 400
        assert "does not match the namespace sent on the request" in answer["message"]

    run(story)


@pytest.mark.parametrize("readable", [True, False])
def test_entries_of_managed_fields_stay_readable(readable: bool) -> None:
    """*assumed*: what the warning says of the entry."""

    async def story(api: Policed) -> None:
        operation = "Update" if readable else "Nonsense"
        words = {"manager": "policy", "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
        fields = ", ".join(f"{name}: '{word}'" for name, word in words.items())
        entry = f"Object.metadata.managedFields{{{fields}, fieldsV1: {{'f:data': {{}}}}}}"
        await api.mutate("p", {"mutations": mutation(jsonPatch=add("/metadata/managedFields", f"[{entry}]"))})
        status, made = await api.put_map(data={"a": "1"})
        assert status == 201, made
        managers = [entry["manager"] for entry in made["metadata"]["managedFields"]]
        assert managers == (["policy"] if readable else ["unknown"])
        start = ".metadata.managedFields was in an invalid state after admission; "
        assert [text.startswith(start) for text in api.warnings] == ([] if readable else [True])

    run(story)


def test_options_of_connections_cannot_be_changed() -> None:
    async def story(api: Policed) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CONNECT"], "resources": ["pods/exec"]}]
        await api.mutate(
            "p", {"matchConstraints": {"resourceRules": rules}, "mutations": mutation(jsonPatch=add("/tty", "true"))}
        )
        options = {"kind": "PodExecOptions", "apiVersion": "v1", "command": ["ls"]}
        with pytest.raises(ServiceUnavailable, match="Resource kind /v1, Kind=PodExecOptions not found"):
            await api.mutating.mutate(write("/v1/pods/exec", "CONNECT", options, name="web"))

    run(story)


def posted_to(part: str) -> Json:
    """What matches what is posted to a part of objects of the core group."""
    return {
        "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [part]}]
    }


def test_an_eviction_is_carried_out_as_policies_leave_it() -> None:
    async def story(api: Policed) -> None:
        await api.make(POD_TARGET, POD)
        expression = add("/deleteOptions", "Object.deleteOptions{dryRun: ['All']}")
        spec = {"matchConstraints": posted_to("pods/eviction"), "mutations": mutation(jsonPatch=expression)}
        await api.mutate("p", spec)
        evict = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "x"}}
        assert (await api.ask("POST", f"{POD_TARGET}/x/eviction", evict))[0] == 201
        assert (await api.ask("GET", f"{POD_TARGET}/x"))[0] == 200

    run(story)


def test_a_token_is_made_as_policies_leave_the_request() -> None:
    async def story(api: WholeApi) -> None:
        async def post(target: str, body: Json) -> Json:
            answer = await api.send("POST", target, orjson.dumps(body))
            assert answer.status == 201, answer.body
            found: Json = orjson.loads(answer.body)
            return found

        spec = {
            "matchConstraints": posted_to("serviceaccounts/token"), "reinvocationPolicy": "Never",
            "mutations": mutation(applyConfiguration="Object{spec: Object.spec{expirationSeconds: 1234}}"),
        }  # fmt: skip
        await post(f"{ADMISSION}/mutatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec})
        binding = {"metadata": {"name": "b"}, "spec": {"policyName": "p"}}
        await post(f"{ADMISSION}/mutatingadmissionpolicybindings", binding)
        target = "/api/v1/namespaces/default/serviceaccounts/default/token"
        assert (await post(target, {"spec": {}}))["spec"]["expirationSeconds"] == 1234

    served(story)


def test_validation_sees_what_was_changed() -> None:
    async def story(api: Policed) -> None:
        await api.mutate("m", {"mutations": mutation(applyConfiguration=LABEL)})
        await api.validate("v", {"validations": [{"expression": "has(object.metadata.labels)"}]})
        assert (await api.put_map())[0] == 201
        await api.ask("DELETE", f"{ADMISSION}/mutatingadmissionpolicies/m")
        assert (await api.put_map("n"))[0] == 422

    run(story)


def test_numbers() -> None:
    async def story(api: Policed) -> None:
        await api.mutate("p", {"mutations": mutation(applyConfiguration=LABEL)})
        await api.put_map()
        labels = '{error_type="no_error",policy="p",policy_binding="p-binding"} 1.0'
        assert f"apiserver_mutating_admission_policy_check_total{labels}" in api.server.metrics.page().decode()

    run(story)
