"""What may change on a pod. Expected texts: ValidatePodUpdate in pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.core.pod import update
from pilothouse.api.core.pod.update import UPDATABLE, difference, validate_update
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TERM = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
ANOTHER = {"key": "b", "operator": "Exists"}
OLD: JsonObject = {
    "metadata": {"name": "web"},
    "spec": {
        "containers": [{"name": "c", "image": "i:1", "env": [{"name": "A", "value": "1"}]}],
        "activeDeadlineSeconds": 100,
        "terminationGracePeriodSeconds": -1,
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10}],
        "affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [TERM]}}},
    },
}
Change = Callable[[JsonObject], object]


def problems(change: Change, *, gated: bool = False) -> list[str]:
    old, new = orjson.loads(orjson.dumps(OLD)), orjson.loads(orjson.dumps(OLD))
    for pod in (old, new):
        if gated:
            pod["spec"]["schedulingGates"] = [{"name": "g"}, {"name": "h"}]
    change(new["spec"])
    errors = FieldErrors()
    validate_update(new, old, errors)
    return [str(error) for error in errors]


ALLOWED: dict[str, Change] = {
    "nothing": dict,
    "image": lambda spec: spec["containers"][0].update(image="i:2"),
    "a shorter deadline": lambda spec: spec.update(activeDeadlineSeconds=50),
    "one more toleration": lambda spec: spec["tolerations"].append({"operator": "Exists"}),
    "seconds of a toleration": lambda spec: spec["tolerations"][0].update(tolerationSeconds=20),
    "a grace period of 1 where it was negative": lambda spec: spec.update(terminationGracePeriodSeconds=1),
    "empty for absent": lambda spec: spec.update(hostAliases=[]),
}


@pytest.mark.parametrize("change", ALLOWED.values(), ids=ALLOWED)
def test_what_may_change(change: Change) -> None:
    assert problems(change) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda spec: spec["containers"].append({}), "spec.containers: Forbidden: pod updates may not add or remove containers"),
        (lambda spec: spec.update(initContainers=[{}]), "spec.initContainers: Forbidden: pod updates may not add or remove containers"),
        (
            lambda spec: spec.update(activeDeadlineSeconds=200),
            "spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value",
        ),
        (
            lambda spec: spec.pop("activeDeadlineSeconds"),
            "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
        ),
        (
            lambda spec: spec["tolerations"].clear(),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
        ),
        (
            lambda spec: spec.update(schedulingGates=[{"name": "g"}]),
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
        ),
    ],
)  # fmt: skip
def test_what_may_not_change(change: Change, expected: str) -> None:
    assert problems(change) == [expected]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            lambda spec: spec["containers"][0]["env"][0].update(value="2"),
            ['-          "value": "1"', '+          "value": "2"'],
        ),
        (lambda spec: spec.update(nodeName="n"), ['+  "nodeName": "n",']),
        (
            lambda spec: spec["nodeSelector"].clear(),
            ['-  "nodeSelector": {', '-    "zone": "a"', "-  },", '+  "nodeSelector": {},'],
        ),
    ],
)
def test_what_differs_is_shown(change: Change, lines: list[str]) -> None:
    """The form is upstream's since v1.34; the names are those of the API here, of Go's fields there."""
    (problem,) = problems(change)
    first, expected, got, hunk, *shown = problem.splitlines()
    assert first == f"spec: Forbidden: pod updates may not change fields other than {UPDATABLE}"
    assert (expected, got, hunk[:4]) == ("--- expected", "+++ got", "@@ -")
    assert [line for line in shown if line[0] != " "] == lines
    assert len(shown) <= 20 + len(lines), "ten lines before and after"


def narrow(spec: JsonObject) -> None:
    spec["nodeSelector"]["disk"] = "fast"
    spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"][0]["matchExpressions"].append(ANOTHER)


def widen(spec: JsonObject) -> None:
    spec["nodeSelector"] = {}
    spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"][0]["matchExpressions"] = [ANOTHER]


def test_a_gated_pod_may_be_narrowed_and_its_gates_opened() -> None:
    assert problems(narrow, gated=True) == []
    assert len(problems(narrow)) == 1
    assert problems(lambda spec: spec["schedulingGates"].pop(), gated=True) == []
    assert [text.partition(":")[0] for text in problems(widen, gated=True)] == [
        "spec.nodeSelector",
        f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0]",
    ]


def test_terms_of_a_gated_pod_are_neither_added_nor_removed() -> None:
    def clear(spec: JsonObject) -> None:
        spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"].append(TERM)

    assert [text.rpartition(": ")[2] for text in problems(clear, gated=True)] == [
        "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
    ]


def _hunk(before: list[str], after: list[str]) -> str:
    return difference({"a": before}, {"a": after})


@given(st.integers(0, 30), st.integers(1, 5), st.integers(1, 5), st.integers(0, 30))
def test_a_long_difference_looks_like_a_short_one(start: int, gone: int, come: int, end: int) -> None:
    head, tail = [f"a{n}" for n in range(start)], [f"z{n}" for n in range(end)]
    lists = [*head, *(f"old{n}" for n in range(gone)), *tail], [*head, *(f"new{n}" for n in range(come)), *tail]
    short = _hunk(*lists)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "_COMPARED", 0)
        assert _hunk(*lists) == short


def test_a_difference_of_many_lines_is_not_searched_for_what_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """That costs the square of the lines: half a minute for three hundred kilobytes."""
    monkeypatch.delattr(update, "unified_diff")
    lines = _hunk([f"old{n}" for n in range(100_000)], [f"new{n}" for n in range(100_000)]).splitlines()
    assert lines[2] == "@@ -1,100004 +1,100004 @@"
    assert len(lines) == 3 + 2 + 2 * 501 + 2
    assert lines[504:507] == ['-    "old499",', "-...", '+    "new0",']
