"""Refusals of objects: told whole, as far as a message can be read."""

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.field import FieldErrors


def test_every_error_is_told_once_and_has_its_cause() -> None:
    wrong = FieldErrors()
    for value in ("b", "c", "b"):
        wrong.invalid("spec.a", value, "no")
    refusal = errors.invalid("Pod", "", "x", wrong)
    assert refusal.message == ('Pod "x" is invalid: [spec.a: Invalid value: "b": no, spec.a: Invalid value: "c": no]')
    assert [cause["message"] for cause in refusal.details["causes"]] == [
        'Invalid value: "b": no', 'Invalid value: "c": no', 'Invalid value: "b": no',
    ]  # fmt: skip


def test_errors_that_each_show_the_whole_of_a_long_list_do_not_fill_the_memory() -> None:
    """Ours: upstream tells them all, which for three megabytes would be a terabyte."""
    whole, wrong = ["Pods"] * 100_000, FieldErrors()
    for _ in whole:
        wrong.invalid("spec.scopes", whole, "unsupported scope")
    refusal = errors.invalid("ResourceQuota", "", "x", wrong)
    assert len(refusal.details["causes"]) == 2
    assert refusal.message.endswith("unsupported scope, and 99998 more errors]")
    assert len(refusal.message) < 2_000_000
