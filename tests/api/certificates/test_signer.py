"""Source: TestValidateSignerName in pkg/apis/core/validation/validation_test.go and names_test.go."""

import pytest

from pilothouse.api.certificates.signer import is_kubernetes_signer, validate_signer_name
from pilothouse.api.machinery.field import FieldErrors

FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("kubernetes.io/kubelet-serving", []),
        ("a.b/c.d.e", []),
        ("", ["x: Required value"]),
        ("nodomain", [f'x: Invalid value: "nodomain": {FORM}']),
        ("a.b/c/d", [f'x: Invalid value: "a.b/c/d": {FORM}']),
        ("a/b", ['x: Invalid value: "a": should be a domain with at least two segments separated by dots']),
    ],
)
def test_form(name: str, wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_signer_name(name, errors, "x")
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [("A.B/c", "A.B", "A"), ("a.b/C.D", "C.D", "C"), (f"{'a' * 64}.b/c", f"{'a' * 64}.b", "a" * 64)],
)
def test_the_first_bad_label_is_enough(name: str, value: str, label: str) -> None:
    errors = FieldErrors()
    validate_signer_name(name, errors, "x")
    assert [(error.value, error.detail.split(": ")[0]) for error in errors] == [(value, f'validating label "{label}"')]


def test_lengths() -> None:
    errors = FieldErrors()
    validate_signer_name(f"{'a.' * 127}b/{'c' * 400}", errors, "x")
    assert [e.detail for e in errors if "may not be" in e.detail] == [
        "may not be more than 253 bytes",
        "may not be more than 571 bytes",
    ]


@pytest.mark.parametrize(
    ("name", "ours"), [("kubernetes.io/a", True), ("x.kubernetes.io/a", True), ("mykubernetes.io/a", False)]
)
def test_our_own(name: str, ours: bool) -> None:
    assert is_kubernetes_signer(name) is ours
