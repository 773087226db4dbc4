"""Facts about the containers of a spec."""

from typing import Any

import pytest

from kubelet.observing import containers, pod, ran, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container
from pilothouse.kubelet.containers import (
    calls_for_all,
    describe,
    every,
    field_path,
    find,
    is_sidecar,
    may_restart_all,
    restart_rule,
    shape,
    target_name,
    wants_restart,
)
from pilothouse.kubelet.cri.interface import ContainerState

ONE = pod(
    initContainers=[*containers("i"), sidecar("s")], containers=containers("a", "b"),
    ephemeralContainers=[{"name": "e", "image": "t", "targetContainerName": "b"}, {"name": "f", "image": "t"}],
)  # fmt: skip


def test_all_have_a_place_in_the_spec() -> None:
    assert [one.name for one in every(ONE)] == ["i", "s", "a", "b", "e", "f"]
    assert [field_path(ONE, one.name) for one in every(ONE)] == [
        "spec.initContainers{i}", "spec.initContainers{s}", "spec.containers{a}", "spec.containers{b}",
        "spec.ephemeralContainers{e}", "spec.ephemeralContainers{f}",
    ]  # fmt: skip
    found = find(ONE, "e")
    assert found is not None
    assert found.image == "t"
    assert find(ONE, "none") is None
    assert [target_name(ONE, name) for name in ("e", "f", "a")] == ["b", "", ""]
    assert [is_sidecar(one) for one in ONE.spec.initContainers] == [False, True]
    assert describe(ONE) == "web_default(uid-web)"


def test_another_image_or_name_makes_another_shape() -> None:
    shapes = {shape(Container({"name": name, "image": image})) for name in "ab" for image in "xy"}
    assert len(shapes) == 4
    assert shape(Container({"name": "a", "image": "x", "args": ["1"]})) in shapes


def ruled(*rules: tuple[str, str, list[int]]) -> JsonObject:
    return {"name": "a", "restartPolicy": "Never", "restartPolicyRules": [
        {"action": action, "exitCodes": {"operator": operator, "values": values}} for action, operator, values in rules
    ]}  # fmt: skip


@pytest.mark.parametrize(("rules", "code", "action"), [
    ([], 1, ""),
    ([("Restart", "In", [1, 2])], 2, "Restart"),
    ([("Restart", "In", [1, 2])], 3, ""),
    ([("Restart", "NotIn", [1, 2])], 3, "Restart"),
    ([("Restart", "NotIn", [0])], 0, ""),
    ([("Restart", "In", [1]), ("RestartAllContainers", "NotIn", [0])], 1, "Restart"),
    ([("Restart", "In", [1]), ("RestartAllContainers", "NotIn", [0])], 2, "RestartAllContainers"),
])  # fmt: skip
def test_the_first_rule_that_fits_counts(rules: list[tuple[str, str, list[int]]], code: int, action: str) -> None:
    container = ruled(*rules)
    rule = restart_rule(Container(container), code)
    assert (rule.action if rule else "") == action
    assert calls_for_all(Container(container), code) is (action == "RestartAllContainers")
    assert may_restart_all(pod(containers=[container])) is any(rule[0] == "RestartAllContainers" for rule in rules)


@pytest.mark.parametrize(("name", "run", "wanted"), [
    ("a", None, True), ("a", ran("a"), False), ("a", ran("a", 0), True), ("i", ran("i", 0), False),
    ("i", ran("i", 1), True), ("s", ran("s", 0), True), ("e", None, True), ("e", ran("e", 1), False),
    ("a", ran("a", state=ContainerState.CREATED), True), ("a", ran("a", state=ContainerState.UNKNOWN), True),
])  # fmt: skip
def test_who_runs_again(name: str, run: Any, wanted: bool) -> None:
    container = find(ONE, name)
    assert container is not None
    assert wants_restart(ONE, container, run) is wanted
