"""What a Job must satisfy. Source: TestValidateJob in pkg/apis/batch/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.jobs import UID, job, template
from pilothouse.api.batch.job import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

NOT_NEGATIVE = "must be greater than or equal to 0"
INDEXED = {"completionMode": "Indexed", "completions": 5}
HIGH = "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index"
RESTART = "spec.template.spec.restartPolicy"
MANY = {"completionMode": "Indexed", "completions": 100001, "backoffLimitPerIndex": 1}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"completions": 3, "parallelism": 2, "ttlSecondsAfterFinished": 0, "template": template()}, []),
        ({**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 5, "parallelism": 100000}, []),
        ({"parallelism": -1}, [f"spec.parallelism: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"completions": -1}, [f"spec.completions: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"activeDeadlineSeconds": -1}, [f"spec.activeDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"backoffLimit": -1}, [f"spec.backoffLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"ttlSecondsAfterFinished": -1}, [f"spec.ttlSecondsAfterFinished: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {**INDEXED, "maxFailedIndexes": 1},
            ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
        ),
        (
            {"managedBy": "me"},
            ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
        ),
        ({"managedBy": f"a.io/{'b' * 60}"}, ["spec.managedBy: Too long: may not be more than 63 bytes"]),
        (
            {"completionMode": "Some"},
            ['spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'],
        ),
        (
            {"completionMode": "Indexed", "parallelism": 2},
            ["spec.completions: Required value: when completion mode is Indexed"],
        ),
        (
            {**INDEXED, "parallelism": 100001},
            [
                (
                    "spec.parallelism: Invalid value: 100001: "
                    "must be less than or equal to 100000 when completion mode is Indexed"
                )
            ],
        ),
        (
            {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 6},
            ["spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions"],
        ),
        (MANY, ["spec.maxFailedIndexes: Required value: must be specified when completions is above 100000"]),
        (
            {**MANY, "maxFailedIndexes": 10001, "parallelism": 10001},
            [
                f"spec.parallelism: Invalid value: 10001: {HIGH}",
                f"spec.maxFailedIndexes: Invalid value: 10001: {HIGH}",
            ],
        ),
        (
            {"backoffLimitPerIndex": 1},
            ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
        ),
        (
            {"successPolicy": {"rules": [{"succeededCount": 1}]}},
            [
                (
                    'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: '
                    "requires indexed completion mode"
                )
            ],
        ),
        ({"template": template(containers=[])}, ["spec.template.spec.containers: Required value"]),
        (
            {"template": template(restartPolicy="Always")},
            [f'{RESTART}: Required value: valid values: "OnFailure", "Never"'],
        ),
        (
            {"template": template(restartPolicy="Some")},
            [
                f'{RESTART}: Unsupported value: "Some": supported values: "Always", "OnFailure", "Never"',
                f'{RESTART}: Unsupported value: "Some": supported values: "OnFailure", "Never"',
            ],
        ),
        (
            {
                "template": template(restartPolicy="OnFailure"),
                "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "X"}]}]},
            },
            [(f'{RESTART}: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified')],
        ),
        (
            {"manualSelector": True},
            [
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
            ],
        ),
        (
            {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}},
            ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(job(**spec), errors)
    assert [str(error) for error in errors] == wrong


def test_pods_of_an_indexed_job_must_get_names() -> None:
    errors = FieldErrors()
    name = "n" * 61
    RESOURCE.validate(job(name, **INDEXED), errors)
    assert errors == []
    RESOURCE.validate(job(name, completionMode="Indexed", completions=11), errors)
    assert [str(error) for error in errors] == [
        f'metadata.name: Invalid value: "{name}": will not able to create pod with invalid DNS label: {name}-10'
    ]


LABELS = "spec.template.metadata.labels"


@pytest.mark.parametrize(
    ("labels", "match_labels", "wrong"),
    [
        ({}, {}, []),
        (
            {"controller-uid": "x"},
            {},
            [
                (
                    f"{LABELS}[controller-uid]: Invalid value: "
                    '{"job-name":"calc","batch.kubernetes.io/job-name":"calc","controller-uid":"x",'
                    f'"batch.kubernetes.io/controller-uid":"{UID}"}}: must be \'{UID}\''
                )
            ],
        ),
        (
            {},
            {"a": "b"},
            [
                (
                    f'spec.selector: Invalid value: {{"matchLabels":{{"batch.kubernetes.io/controller-uid":"{UID}",'
                    '"a":"b"}}: `selector` not auto-generated'
                )
            ],
        ),
    ],
)
def test_the_generated_selector(labels: dict[str, str], match_labels: dict[str, str], wrong: list[str]) -> None:
    own = {"template": {**template(), "metadata": {"labels": labels}}, "selector": {"matchLabels": match_labels}}
    errors = FieldErrors()
    RESOURCE.validate_create(job(**own), errors)
    assert [str(error) for error in errors] == wrong


def test_a_label_that_is_not_there() -> None:
    obj = job()
    del obj["spec"]["template"]["metadata"]["labels"]["job-name"]
    errors = FieldErrors()
    RESOURCE.validate_create(obj, errors)
    assert [str(error) for error in errors] == [f"{LABELS}[job-name]: Required value: must be 'calc'"]
