"""What a client is told about the body it sent. Texts marked so are assumed, all others upstream's."""

import pytest

from pilothouse.api.machinery.codec.body import JSON, YAML, Decoded, Expected, FieldValidation, read
from pilothouse.api.machinery.errors import BadRequest, UnsupportedMediaType
from pilothouse.api.machinery.schema import Schemas

SCHEMAS = Schemas()
DEPLOYMENT = Expected("apps", "v1", "Deployment")
POD = Expected("", "v1", "Pod")
WARN, STRICT, IGNORE = FieldValidation.WARN, FieldValidation.STRICT, FieldValidation.IGNORE


def take(body: str, expected: Expected = POD, validation: FieldValidation = WARN, media_type: str = JSON) -> Decoded:
    return read(body.encode(), media_type, expected, SCHEMAS, validation)


def test_a_body_that_names_no_kind_is_of_the_expected_one() -> None:
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    for body in ('{"metadata":{"name":"a"}}', '{"kind":"","apiVersion":"apps/v1","metadata":{"name":"a"}}'):
        assert take(body, DEPLOYMENT).object == wanted
    assert take("null", DEPLOYMENT).object == {"apiVersion": "apps/v1", "kind": "Deployment"}


UNRECOGNIZED = "the object provided is unrecognized (must be of type Pod): "
NO_KIND = f"{UNRECOGNIZED}couldn't get version/kind; json parse error: "


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("", f"{NO_KIND}unexpected end of JSON input (<empty>)"),
        ('{"a":1', f'{NO_KIND}unexpected end of JSON input ({{"a":1)'),
        ("x" * 40, f"{NO_KIND}invalid character 'x' looking for beginning of value ({'78' * 30} ...)"),
        (
            '{"kind":5}',
            f'{NO_KIND}json: cannot unmarshal number into Go struct field .kind of type string ({{"kind":5}})',
        ),
        ('{"apiVersion":"a/b/c"}', f'{UNRECOGNIZED}unexpected GroupVersion string: a/b/c ({{"apiVersion":"a/b/c"}})'),
        (
            '{"kind":"Foo","apiVersion":"v1"}',
            (
                'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" '
                'in scheme "pkg/api/legacyscheme/scheme.go:30"'
            ),
        ),
        (  # assumed
            '{"kind":"Service","apiVersion":"v1"}',
            (
                'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): '
                "unknown conversion"
            ),
        ),
        (
            '{"spec":{"priority":"x"},"foo":1}',
            (
                'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field '
                "PodSpec.spec.priority of type int32"
            ),
        ),
    ],
)
def test_refusals(body: str, wanted: str) -> None:
    with pytest.raises(BadRequest) as caught:
        take(body)
    assert caught.value.message == wanted


@pytest.mark.parametrize("body", ["[]", "5", '"x"', "true"])
def test_a_body_must_be_an_object(body: str) -> None:
    with pytest.raises(BadRequest, match=r"json: cannot unmarshal \w+ into Go value of type struct"):
        take(body)


def test_another_version_of_the_kind() -> None:
    with pytest.raises(BadRequest) as caught:
        take('{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1"}',
             Expected("autoscaling", "v2", "HorizontalPodAutoscaler"))  # fmt: skip
    assert caught.value.message == (
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"
    )


BOTH = '{"spec":{"foo":1,"paused":true,"paused":false}}'


def test_strict_refuses_what_warn_warns_of_and_ignore_ignores() -> None:
    with pytest.raises(BadRequest) as caught:
        take(BOTH, DEPLOYMENT, STRICT)
    assert caught.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.foo", duplicate field "spec.paused"'
    )
    warned = take(BOTH, DEPLOYMENT, WARN)
    assert warned.warnings == ('unknown field "spec.foo"', 'duplicate field "spec.paused"')
    assert warned.object["spec"] == {}, "the last one counts, and false says nothing here"
    ignored = take(BOTH, DEPLOYMENT, IGNORE)
    assert (ignored.warnings, ignored.object) == ((), warned.object)


def test_yaml_has_its_own_words_for_repeated_keys() -> None:
    body = "spec:\n  foo: 1\n  paused: true\n  paused: false\n"
    with pytest.raises(BadRequest) as caught:
        take(body, DEPLOYMENT, STRICT, YAML)
    assert caught.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'yaml: unmarshal errors:\n  line 4: key "paused" already set in map, unknown field "spec.foo"'
    )
    warned = take(body, DEPLOYMENT, WARN, YAML)
    assert warned.warnings == ('line 4: key "paused" already set in map', 'unknown field "spec.foo"')
    assert take(body, DEPLOYMENT, IGNORE, YAML).warnings == ()


def test_yaml_that_cannot_be_read() -> None:
    with pytest.raises(BadRequest) as caught:
        take("a: *b", POD, WARN, YAML)
    assert caught.value.message == f"{UNRECOGNIZED}yaml: unknown anchor 'b' referenced (613a202a62)"


def test_other_media_types_are_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        take("{}", POD, WARN, "text/plain")
