"""Audit policies: which rule is about which request, and which files are none."""

from pathlib import Path

import pytest

from pilothouse.apiserver.audit.policy import Level, PolicyError, load_policy, read_policy
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
ME = User("me", ("devs", "system:authenticated"))
POD = "/api/v1/namespaces/default/pods/a"


@pytest.mark.parametrize(
    ("rule", "method", "target", "matches"),
    [
        ("", "GET", POD, True),
        ("users: [me]", "GET", POD, True),
        ("users: [you]", "GET", POD, False),
        ("userGroups: [ops, devs]", "GET", POD, True),
        ("userGroups: [ops]", "GET", POD, False),
        ("verbs: [get, list]", "GET", POD, True),
        ("verbs: [watch]", "GET", POD, False),
        ("verbs: [watch]", "GET", "/api/v1/pods?watch=1", True),
        ('namespaces: ["default"]', "GET", POD, True),
        ('namespaces: ["other"]', "GET", POD, False),
        ('namespaces: [""]', "GET", "/api/v1/nodes/a", True),
        ('namespaces: [""]', "GET", "/healthz", False),
        ('resources: [{group: ""}]', "GET", POD, True),
        ('resources: [{group: "apps"}]', "GET", POD, False),
        ('resources: [{group: "", resources: [pods]}]', "GET", POD, True),
        ('resources: [{group: "", resources: [pods]}]', "GET", f"{POD}/status", False),
        ('resources: [{group: "", resources: [pods/status]}]', "GET", f"{POD}/status", True),
        ('resources: [{group: "", resources: [pods/status]}]', "GET", POD, False),
        ('resources: [{group: "", resources: ["*"]}]', "GET", f"{POD}/status", True),
        ('resources: [{group: "", resources: ["*/status"]}]', "GET", f"{POD}/status", True),
        ('resources: [{group: "", resources: ["*/status"]}]', "GET", POD, False),
        ('resources: [{group: "", resources: ["pods/*"]}]', "GET", f"{POD}/status", True),
        ('resources: [{group: "", resources: ["pods/*"]}]', "GET", POD, True),
        ('resources: [{group: "", resources: [pods], resourceNames: [a]}]', "GET", POD, True),
        ('resources: [{group: "", resources: [pods], resourceNames: [b]}]', "GET", POD, False),
        ('resources: [{group: "", resources: [pods]}]', "GET", "/healthz", False),
        ('nonResourceURLs: ["/healthz*"]', "GET", "/healthz/ping", True),
        ('nonResourceURLs: ["/healthz"]', "GET", "/healthz/ping", False),
        ('nonResourceURLs: ["*"]', "GET", "/version", True),
        ('nonResourceURLs: ["*"]', "GET", POD, False),
    ],
)
def test_rules(rule: str, method: str, target: str, matches: bool) -> None:
    policy = read_policy(f"{HEAD}rules:\n- level: Metadata\n  {rule}\n".encode())
    for _ in range(2):  # the second time by what is kept
        decided = policy.decide(ME, parse_request_info(method, target))
        assert decided.level is (Level.METADATA if matches else Level.NONE)


def test_without_a_user_rules_about_users_do_not_count() -> None:
    policy = read_policy(f"{HEAD}rules: [{{level: Request, users: [me]}}, {{level: Metadata}}]".encode())
    info = parse_request_info("GET", POD)
    assert policy.decide(None, info).level is Level.METADATA
    assert policy.decide(ME, info).level is Level.REQUEST


def test_the_first_rule_decides_and_names_are_told_apart_where_a_rule_names_them() -> None:
    text = (
        HEAD
        + """
rules:
- level: None
  resources: [{group: "", resources: [pods], resourceNames: [b]}]
- level: RequestResponse
"""
    )
    policy = read_policy(text.encode())
    assert policy.decide(ME, parse_request_info("GET", POD)).level is Level.REQUEST_RESPONSE
    assert policy.decide(ME, parse_request_info("GET", POD[:-1] + "b")).level is Level.NONE


def test_what_the_policy_omits_every_rule_omits_and_rules_have_the_last_word_on_managed_fields() -> None:
    text = (
        HEAD
        + """
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: Metadata, verbs: [get], omitStages: [Panic]}
- {level: Metadata, omitManagedFields: false}
"""
    )
    policy = read_policy(text.encode())
    first = policy.decide(ME, parse_request_info("GET", POD))
    second = policy.decide(ME, parse_request_info("DELETE", POD))
    assert (set(first.omitted), first.omits_managed_fields) == ({"RequestReceived", "Panic"}, True)
    assert (set(second.omitted), second.omits_managed_fields) == ({"RequestReceived"}, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "failed decoding: yaml: "),
        ("[]", "failed decoding: it is no object"),
        ("kind: Pod", "failed decoding: it is None Pod, not audit.k8s.io/v1 Policy"),
        (f"{HEAD}rules: []", "loaded illegal policy with 0 rules"),
        (f"{HEAD}rules: [a]", "failed decoding: rules is no list of objects"),
        (f"{HEAD}rules: [{{}}]", "rules[0].level: Required value"),
        (
            f"{HEAD}rules: [{{level: All}}]",
            'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request"',
        ),
        (f"{HEAD}rules: [{{level: None, nonResourceURLs: [a]}}]", "must begin with a '/' character"),
        (f"{HEAD}rules: [{{level: None, nonResourceURLs: ['/*/a']}}]", "must be the final character of the rule"),
        (f"{HEAD}rules: [{{level: None, resources: [{{group: apps/v1}}]}}]", "rules[0].resources.group: Invalid value"),
        (
            f"{HEAD}rules: [{{level: None, resources: [{{resourceNames: [a]}}]}}]",
            "using resourceNames requires at least one resource",
        ),
        (f"{HEAD}rules: [{{level: None, omitStages: [End]}}]", "allowed stages are RequestReceived,ResponseStarted,"),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: ['/a'], namespaces: [a]}}]",
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
    ],
)
def test_what_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode())
    assert message in str(caught.value)


def test_files(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="failed to read file path"):
        load_policy(tmp_path / "none")
    path = tmp_path / "policy.yaml"
    path.write_text(f"{HEAD}rules: []")
    with pytest.raises(PolicyError, match="with 0 rules: from file"):
        load_policy(path)
    path.write_text(f"{HEAD}rules: [{{level: Metadata}}]")
    assert len(load_policy(path).rules) == 1
