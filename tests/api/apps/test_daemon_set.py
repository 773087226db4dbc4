"""DaemonSet. Sources: TestValidateDaemonSet* in pkg/apis/apps/validation/validation_test.go, TestDaemonSetStrategy and
TestSelectorImmutability in pkg/registry/apps/daemonset/strategy_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.apps.daemon_set import RESOURCE, TEMPLATE_GENERATION
from pilothouse.api.machinery.field import FieldErrors

LABELS = {"app": "log"}
ROLLING = "spec.updateStrategy.rollingUpdate"
NOT_NEGATIVE = "must be greater than or equal to 0"
LABEL_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
PERCENT_WORDS = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)


def _template(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "a", "image": "a:1"}], **spec}}


def _daemon_set(**spec: Any) -> dict[str, Any]:
    base = {"selector": {"matchLabels": LABELS}, "template": _template()}
    obj: dict[str, Any] = {"metadata": {"name": "log"}, "spec": {**base, **spec}}
    RESOURCE.default(obj)
    return obj


def _rolling(**values: Any) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": values}}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        (_rolling(maxUnavailable=0, maxSurge="20%"), []),
        (
            {"template": {**_template(), "metadata": {}}},
            ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
        ),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
        (
            {"selector": {"matchLabels": {"app": "-"}}},
            ['spec.selector.matchLabels: Invalid value: "-": ' + LABEL_WORDS],
        ),
        (
            {"template": _template(restartPolicy="OnFailure")},
            ['spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"'],
        ),
        (
            {"template": _template(activeDeadlineSeconds=5)},
            [
                (
                    "spec.template.spec.activeDeadlineSeconds: Forbidden: "
                    "activeDeadlineSeconds in DaemonSet is not Supported"
                )
            ],
        ),
        ({"template": _template(containers=[])}, ["spec.template.spec.containers: Required value"]),
        ({"minReadySeconds": -1}, [f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"revisionHistoryLimit": -1}, [f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"updateStrategy": {"type": "Sometimes"}},
            [
                (
                    'spec.updateStrategy: Unsupported value: {"Type":"Sometimes","RollingUpdate":null}: '
                    'supported values: "RollingUpdate", "OnDelete"'
                )
            ],
        ),
        (_rolling(maxUnavailable=0), [f"{ROLLING}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
        (
            _rolling(maxUnavailable=1, maxSurge=1),
            [f"{ROLLING}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"],
        ),
        (
            _rolling(maxUnavailable="101%"),
            [f'{ROLLING}.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (_rolling(maxUnavailable=-1), [f"{ROLLING}.maxUnavailable: Invalid value: -1: {NOT_NEGATIVE}"]),
        (_rolling(maxSurge="x"), [f'{ROLLING}.maxSurge: Invalid value: "x": {PERCENT_WORDS}']),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_daemon_set(**spec), errors)
    assert [str(error) for error in errors] == wrong


def test_a_strategy_that_has_lost_its_numbers() -> None:
    obj = _daemon_set()
    del obj["spec"]["updateStrategy"]["rollingUpdate"]
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    assert [str(error) for error in errors] == [f"{ROLLING}: Required value"]


def test_the_selector_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_daemon_set(selector={"matchLabels": {"a": "b"}}), _daemon_set(), errors)
    assert [str(e) for e in errors] == ['spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable']


@pytest.mark.parametrize(
    ("status", "old", "wrong"),
    [
        ({"desiredNumberScheduled": 2, "numberReady": 3, "collisionCount": 1}, {"collisionCount": 1}, []),
        ({"numberReady": -1}, {}, [f"status.numberReady: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"numberUnavailable": -2}, {}, [f"status.numberUnavailable: Invalid value: -2: {NOT_NEGATIVE}"]),
        ({}, {"collisionCount": 2}, ["status.collisionCount: Invalid value: 0: cannot be decremented"]),
    ],
)  # fmt: skip
def test_status(status: dict[str, Any], old: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": status}, {"status": old}, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("annotations", "kept"), [({}, "1"), ({TEMPLATE_GENERATION: "0"}, "1"), ({TEMPLATE_GENERATION: "7", "a": "b"}, "7")]
)
def test_the_first_template(annotations: dict[str, str], kept: str) -> None:
    obj = {**_daemon_set(), "status": {"numberReady": 4}}
    obj["metadata"]["annotations"] = annotations
    RESOURCE.prepare_for_create(obj)
    assert obj["metadata"]["annotations"] == {**annotations, TEMPLATE_GENERATION: kept}
    assert obj["status"]["numberReady"] == 0


@pytest.mark.parametrize(("spec", "counted"), [({}, "3"), ({"minReadySeconds": 5}, "3"), ({"template": {}}, "4")])
def test_changes_of_the_template_are_counted(spec: dict[str, Any], counted: str) -> None:
    old = {**_daemon_set(), "status": {"numberReady": 1}}
    old["metadata"]["annotations"] = {TEMPLATE_GENERATION: "3"}
    new = {**_daemon_set(**spec), "status": {"numberReady": 2}}
    new["metadata"]["annotations"] = {TEMPLATE_GENERATION: "9"}
    RESOURCE.prepare_for_update(new, old)
    assert new["metadata"]["annotations"][TEMPLATE_GENERATION] == counted
    assert new["status"] == {"numberReady": 1}
