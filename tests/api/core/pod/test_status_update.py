"""What may change in a pod's status. Expected texts: ValidatePodStatusUpdate."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.status_update import validate_status
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

GONE = {"name": "c", "state": {"terminated": {"exitCode": 0}}}
FAILED = {"name": "c", "state": {"terminated": {"exitCode": 1}}}
BACK = {"name": "c", "state": {"running": {}}}


def problems(new: JsonObject, old: JsonObject, **spec: object) -> list[str]:
    errors = FieldErrors()
    validate_status({"spec": spec, "status": new}, {"spec": spec, "status": old}, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("policy", "before", "allowed"),
    [("Always", GONE, True), ("OnFailure", FAILED, True), ("OnFailure", GONE, False), ("Never", FAILED, False)],
)
def test_an_ended_container_stays_ended(policy: str, before: JsonObject, allowed: bool) -> None:
    found = problems({"containerStatuses": [BACK]}, {"containerStatuses": [before]}, restartPolicy=policy)
    expected = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    assert found == ([] if allowed else [expected])


def _rule(action: str) -> JsonObject:
    return {"action": action, "exitCodes": {"operator": "In", "values": [1]}}


@pytest.mark.parametrize(
    ("own", "before", "allowed"),
    [
        ({"restartPolicy": "OnFailure"}, FAILED, True),
        ({"restartPolicy": "OnFailure"}, GONE, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [_rule("Restart")]}, FAILED, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [_rule("Restart")]}, GONE, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [_rule("RestartAllContainers")]}, GONE, True),
    ],
)
@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_a_container_may_have_its_own_policy_and_rules(
    kind: str, own: JsonObject, before: JsonObject, allowed: bool
) -> None:
    spec: JsonObject = {"restartPolicy": "Never", kind: [{"name": "c", **own}]}
    field = "containerStatuses" if kind == "containers" else "initContainerStatuses"
    assert (problems({field: [BACK]}, {field: [before]}, **spec) == []) is allowed


def test_sidecars_come_back_and_ephemeral_containers_do_not() -> None:
    spec: JsonObject = {"restartPolicy": "Never", "initContainers": [{"name": "c", "restartPolicy": "Always"}]}
    assert problems({"initContainerStatuses": [BACK]}, {"initContainerStatuses": [GONE]}, **spec) == []
    spec = {"restartPolicy": "Always"}
    found = problems({"ephemeralContainerStatuses": [BACK]}, {"ephemeralContainerStatuses": [GONE]}, **spec)
    assert [text.partition(":")[0] for text in found] == ["status.ephemeralContainerStatuses[0].state"]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({"qosClass": "Guaranteed"}, {"qosClass": "Burstable"}, ['status.qosClass: Invalid value: "Guaranteed": field is immutable']),
        ({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, {}, []),
        (
            {"podIPs": [{"ip": "x"}]},
            {},
            ['status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
        ),
        (
            {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]},
            {},
            [('status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no more than one IP for each '
             "IP family")],
        ),
        (
            {"hostIP": "10.0.0.2", "hostIPs": [{"ip": "10.0.0.1"}]},
            {},
            ['status.hostIPs[0].ip: Invalid value: "10.0.0.1": must be equal to `hostIP`'],
        ),
        ({"conditions": [{"type": "Ready"}, {"type": "example.com/x"}]}, {}, []),
    ],
)  # fmt: skip
def test_fields(new: JsonObject, old: JsonObject, expected: list[str]) -> None:
    assert problems(new, old) == expected


@pytest.mark.parametrize(
    ("new", "path"),
    [({"conditions": [{"type": "a b"}]}, "metadata.conditions[0].Type"), ({"nominatedNodeName": "A"}, "status.nominatedNodeName")],
)  # fmt: skip
def test_names(new: JsonObject, path: str) -> None:
    assert [text.partition(":")[0] for text in problems(new, {})] == [path]
