"""Rules of a pod spec as a whole. Expected texts: pkg/apis/core/validation/validation.go, where not marked *assumed*."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod import RESOURCE
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def pod(**spec: object) -> JsonObject:
    body: JsonObject = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "default", **spec},
    }
    RESOURCE.default(body)
    return body


def problems(body: JsonObject) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(body, errors)
    return [str(error) for error in errors]


def test_an_ordinary_pod_is_good() -> None:
    assert problems(pod()) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        (
            {"restartPolicy": "Sometimes"},
            'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        ),
        (
            {"dnsPolicy": "X"},
            ('spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", '
            '"Default", "None"'),
        ),
        ({"dnsPolicy": "None"}, "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
        (
            {"dnsPolicy": "None", "dnsConfig": {"searches": ["a"]}},
            ("spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is "
            "None"),
        ),
        (
            {"dnsConfig": {"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]}},
            ('spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more '
            "than 3 nameservers"),
        ),
        (
            {"dnsConfig": {"nameservers": ["x"]}},
            ('spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or '
            "2001:db8::ffff)"),
        ),
        ({"dnsConfig": {"options": [{}]}}, "spec.dnsConfig.options[0]: Required value: must not be empty"),
        ({"nodeName": "N_1"}, f'spec.nodeName: Invalid value: "N_1": {SUBDOMAIN}'),
        ({"serviceAccountName": "A"}, f'spec.serviceAccountName: Invalid value: "A": {SUBDOMAIN}'),
        ({"priorityClassName": "A"}, f'spec.priorityClassName: Invalid value: "A": {SUBDOMAIN}'),
        ({"runtimeClassName": "A"}, f'spec.runtimeClassName: Invalid value: "A": {SUBDOMAIN}'),
        ({"hostname": "a.b"}, 'spec.hostname: Invalid value: "a.b": must not contain dots'),
        ({"subdomain": "a.b"}, 'spec.subdomain: Invalid value: "a.b": must not contain dots'),
        (
            {"activeDeadlineSeconds": 0},
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            {"hostAliases": [{"ip": "x", "hostnames": ["a"]}]},
            'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
        (
            {"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["A"]}]},
            f'spec.hostAliases[0].hostnames[0]: Invalid value: "A": {SUBDOMAIN}',
        ),
        (
            {"preemptionPolicy": "X"},
            'spec.preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
        ),
        ({"os": {}}, "spec.os.name: Required value: cannot be empty"),
        ({"os": {"name": "dos"}}, 'spec.os: Unsupported value: "dos": supported values: "linux", "windows"'),
        (
            {"os": {"name": "windows"}, "hostPID": True},
            "spec.hostPID: Forbidden: cannot be set for a windows pod",
        ),
        (
            {"os": {"name": "linux"}, "securityContext": {"windowsOptions": {}}},
            "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
        ),
        (
            {"hostUsers": False, "hostPID": True},
            "spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false",
        ),
        (
            {"overhead": {"bogus": "1"}},
            'spec.overhead.limits[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
        ),
        (
            {"resourceClaims": [{"name": "a"}]},
            ('spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,'
             '"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, '
            "`resourceClaimTemplateName`"),
        ),
        (
            {"hostNetwork": True, "containers": [{"name": "c", "image": "i", "ports": [
                {"containerPort": 80, "hostPort": 81}]}]},
            ("spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is "
            "true"),
        ),
        (
            {"imagePullSecrets": [{"name": "a", "x": 1}]},
            'spec.imagePullSecrets[0]: Invalid value: {"name":"a","x":1}: only name may be set',
        ),
        (
            {"hostnameOverride": "a.b", "hostNetwork": True},  # assumed wording
            "spec.hostnameOverride: Forbidden: cannot be set when `hostNetwork` is true",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_spec(spec: JsonObject, expected: str) -> None:
    assert expected in problems(pod(**spec))


@pytest.mark.parametrize("search", [".", "a_b.example", "_tcp.example.com."])
def test_search_domains_may_hold_underscores(search: str) -> None:
    assert problems(pod(dnsConfig={"searches": [search]})) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ephemeralContainers": [{"name": "e", "image": "i"}]}, "spec.ephemeralContainers: Forbidden: cannot be set on create"),
        (
            {"nodeName": "n", "schedulingGates": [{"name": "a"}]},
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
    ],
)  # fmt: skip
def test_what_a_new_pod_may_not_have(change: JsonObject, expected: str) -> None:
    errors = FieldErrors()
    RESOURCE.validate_create(pod(**change), errors)
    assert [str(error) for error in errors] == [expected]


def test_a_container_alone_can_ask_for_the_windows_host() -> None:
    container = {"name": "c", "image": "i", "securityContext": {"windowsOptions": {"hostProcess": True}}}
    assert problems(pod(containers=[container])) == [
        "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"
    ]


def test_a_token_needs_a_service_account() -> None:
    body = pod(volumes=[{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}])
    assert problems(body) == []
    del body["spec"]["serviceAccountName"]
    assert problems(body) == [
        (
            "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when "
            "serviceAccountName is not set"
        )
    ]


def test_a_template_has_its_own_paths_and_is_less_strict_with_images() -> None:
    template: JsonObject = {
        "metadata": {"labels": {"a": "b c"}},
        "spec": {
            "containers": [{"name": "c", "image": " i "}],
            "ephemeralContainers": [{"name": "e", "image": "i"}],
            "hostname": "A",
        },
    }
    default_pod_template(template)
    errors = FieldErrors()
    validate_pod_template(template, errors, "spec.template")
    paths = [error.path for error in errors]
    assert paths == ["spec.template.labels", "spec.template.spec.hostname", "spec.template.spec.ephemeralContainers"]
    assert errors[-1].detail == "ephemeral containers not allowed in pod template"


def test_in_a_template_host_ports_may_be_left_out() -> None:
    template: JsonObject = {
        "spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}
    }
    default_pod_template(template)
    errors = FieldErrors()
    validate_pod_template(template, errors, "template")
    assert errors == []
    assert "hostPort" not in template["spec"]["containers"][0]["ports"][0]
