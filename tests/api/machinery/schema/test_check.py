"""What is found in an object, and what is left of it. Texts are those a client of upstream sees."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.schema import Findings, Schemas, check

SCHEMAS = Schemas()
JsonObject = dict[str, Any]


def pod(**spec: Any) -> Findings:
    return check(SCHEMAS.kind("", "v1", "Pod"), {"spec": spec})


def metadata(**fields: Any) -> Findings:
    return check(SCHEMAS.kind("", "v1", "ConfigMap"), {"metadata": fields})


INTO = "json: cannot unmarshal {} into Go struct field {} of type {}".format


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (
            ("apps", "v1", "Deployment"), {"spec": {"replicas": "3"}},
            INTO("string", "DeploymentSpec.spec.replicas", "int32"),
        ),
        (
            ("apps", "v1", "Deployment"), {"spec": {"replicas": 3.5}},
            INTO("number 3.5", "DeploymentSpec.spec.replicas", "int32"),
        ),
        (
            ("apps", "v1", "Deployment"), {"spec": {"replicas": 2**31}},
            INTO("number 2147483648", "DeploymentSpec.spec.replicas", "int32"),
        ),
        (
            ("apps", "v1", "Deployment"), {"spec": {"replicas": True}},
            INTO("bool", "DeploymentSpec.spec.replicas", "int32"),
        ),
        (("apps", "v1", "Deployment"), {"spec": []}, INTO("array", "Deployment.spec", "v1.DeploymentSpec")),
        (
            ("", "v1", "Pod"), {"spec": {"containers": {"name": "a"}}},
            INTO("object", "PodSpec.spec.containers", "[]v1.Container"),
        ),
        (
            ("", "v1", "Pod"), {"spec": {"containers": [{"name": 5}]}},
            INTO("number", "Container.spec.containers.name", "string"),
        ),
        (("", "v1", "Pod"), {"metadata": {"labels": {"a": 1}}}, INTO("number", "ObjectMeta.metadata.labels", "string")),
        (
            ("", "v1", "Pod"), {"metadata": {"creationTimestamp": 5}},
            INTO("number", "ObjectMeta.metadata.creationTimestamp", "string"),
        ),
        (("", "v1", "Pod"), {"spec": {"hostNetwork": "yes"}}, INTO("string", "PodSpec.spec.hostNetwork", "bool")),
        (
            ("", "v1", "Service"), {"spec": {"ports": [{"targetPort": True}]}},
            INTO("bool", "ServicePort.spec.ports.targetPort", "int32"),
        ),
        (("", "v1", "Secret"), {"data": {"a": 5}}, INTO("number", "Secret.data", "[]uint8")),
        (("", "v1", "Secret"), {"data": {"a": "a?=="}}, "illegal base64 data at input byte 1"),
        (("", "v1", "Secret"), {"data": {"a": "YWJ"}}, "illegal base64 data at input byte 0"),
    ],
)  # fmt: skip
def test_wrong_types(kind: tuple[str, str, str], value: JsonObject, wanted: str) -> None:
    assert check(SCHEMAS.kind(*kind), value).errors == (wanted,)


def test_the_first_error_counts_but_one_of_a_type_that_reads_itself_comes_before_all() -> None:
    errors = pod(priority="high", hostNetwork=5, overhead={"cpu": True}).errors
    assert len(errors) == 3
    assert errors[0].startswith("quantities must match the regular expression")
    assert errors[1] == INTO("string", "PodSpec.spec.priority", "int32")


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ({"foo": 1}, ["foo"]),
        ({"spec": {"foo": 1, "bar": None}}, ["spec.foo", "spec.bar"]),
        ({"spec": {"containers": [{"name": "a"}, {"imag": "x"}]}}, ["spec.containers[1].imag"]),
        ({"spec": {"Containers": []}}, ["spec.Containers"]),
        ({"metadata": {"clusterName": "x"}}, ["metadata.clusterName"]),
        ({"spec": {"volumes": [{"emptyDir": {"x": {"y": 1}}}]}}, ["spec.volumes[0].emptyDir.x"]),
    ],
)
def test_unknown_fields_are_named_and_taken_out(value: JsonObject, unknown: list[str]) -> None:
    findings = check(SCHEMAS.kind("", "v1", "Pod"), value)
    assert list(findings.unknown) == unknown
    assert list(findings.strict) == [f'unknown field "{path}"' for path in unknown]
    assert findings.errors == ()
    again = check(SCHEMAS.kind("", "v1", "Pod"), orjson.loads(orjson.dumps(findings.object)))
    assert again == Findings(findings.object)


@pytest.mark.parametrize("broken", [{}, {"unknown": True}])
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"nodeName": None, "containers": [{"name": "a", "env": None}]}, {"containers": [{"name": "a"}]}),
        ({"nodeSelector": {"a": None}}, {"nodeSelector": {"a": ""}}),
        ({"containers": [{"args": ["x", None]}]}, {"containers": [{"args": ["x", ""]}]}),
        ({"containers": [None]}, {"containers": [{}]}),
        ({"overhead": {"cpu": None}}, {"overhead": {"cpu": "0"}}),
        ({"overhead": {"cpu": 0.5, "memory": "1024Mi"}}, {"overhead": {"cpu": "500m", "memory": "1Gi"}}),
        ({"overhead": {"cpu": 1, "memory": " 5M "}}, {"overhead": {"cpu": "1", "memory": "5M"}}),
    ],
)
def test_null_is_unset_and_leaves_are_canonical(value: JsonObject, wanted: JsonObject, broken: JsonObject) -> None:
    findings = pod(**orjson.loads(orjson.dumps(value)), **broken)
    assert findings.object == {"spec": wanted}
    assert findings.errors == ()


@pytest.mark.parametrize("broken", [{}, {"unknown": True}])
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z"),
        ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T01:00:00+02:00", "2025-12-31T23:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_kept_in_utc(text: str, kept: str, broken: JsonObject) -> None:
    findings = metadata(creationTimestamp=text, **broken)
    assert findings.object["metadata"]["creationTimestamp"] == kept


LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", f'parsing time "" as {LAYOUT}: cannot parse "" as "2006"'),
        ("tomorrow", f'parsing time "tomorrow" as {LAYOUT}: cannot parse "tomorrow" as "2006"'),
        ("2026-01-01", f'parsing time "2026-01-01" as {LAYOUT}: cannot parse "" as "T"'),
        ("2026-01-01T00:00:00", f'parsing time "2026-01-01T00:00:00" as {LAYOUT}: cannot parse "" as "Z07:00"'),
        ("2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'),
        ("2026-02-30T00:00:00Z", 'parsing time "2026-02-30T00:00:00Z": day out of range'),
        ("2026-01-01T24:00:00Z", 'parsing time "2026-01-01T24:00:00Z": hour out of range'),
        ("2026-01-01T00:00:00Zulu", 'parsing time "2026-01-01T00:00:00Zulu": extra text: "ulu"'),
    ],
)
def test_times_that_are_none(text: str, wanted: str) -> None:
    assert metadata(creationTimestamp=text).errors == (wanted,)


def test_micro_times_have_six_digits() -> None:
    lease = SCHEMAS.kind("coordination.k8s.io", "v1", "Lease")
    good = {"spec": {"renewTime": "2026-01-01T00:00:00.123456Z"}}
    assert check(lease, good) == Findings(good)
    assert check(lease, {"spec": {"renewTime": "2026-01-01T00:00:00Z"}}).errors == (
        'parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    )


def test_what_is_preserved_is_left_alone() -> None:
    revision = {"data": {"anything": [{"goes": None}]}, "revision": 1}
    assert check(SCHEMAS.kind("apps", "v1", "ControllerRevision"), revision).object == revision


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "1Mi"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "containers", "name", "labels", "ports", "containerPort", "env", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind", "x"]), values, max_size=3))
def test_checking_what_was_kept_finds_nothing_more(value: JsonObject) -> None:
    schema = SCHEMAS.kind("", "v1", "Pod")
    findings = check(schema, orjson.loads(orjson.dumps(value)))
    if not findings.errors:
        kept = orjson.dumps(findings.object)
        again = check(schema, orjson.loads(kept))
        assert (again.errors, again.strict, orjson.dumps(again.object)) == ((), (), kept)
