"""CronJob. Sources: TestValidateCronJob* and TestValidateTimeZone in pkg/apis/batch/validation/validation_test.go,
cronjob/strategy_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.batch.cron_job import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

NOT_NEGATIVE = "must be greater than or equal to 0"
TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "a:1"}], "restartPolicy": "OnFailure"}}
UNKNOWN = 'spec.timeZone: Invalid value: "{0}": unknown time zone {0}'
ZONE_WORDS = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"


def _cron_job(name: str = "nightly", job: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    jobs = {"spec": {"template": TEMPLATE, **(job or {})}}
    obj: dict[str, Any] = {"metadata": {"name": name}, "spec": {"schedule": "0 0 * * *", "jobTemplate": jobs, **spec}}
    RESOURCE.default(obj)
    return obj


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"concurrencyPolicy": "Replace", "startingDeadlineSeconds": 0}, []),
        ({"schedule": ""}, ["spec.schedule: Required value"]),
        (
            {"schedule": "error"},
            ['spec.schedule: Invalid value: "error": expected exactly 5 fields, found 1: [error]'],
        ),
        ({"startingDeadlineSeconds": -1}, [f"spec.startingDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"concurrencyPolicy": "Queue"},
            ['spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"'],
        ),
        ({"successfulJobsHistoryLimit": -1}, [f"spec.successfulJobsHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"failedJobsHistoryLimit": -1}, [f"spec.failedJobsHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"job": {"selector": {"matchLabels": {"a": "b"}}}},
            [
                (
                    'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: '
                    "`selector` will be auto-generated"
                )
            ],
        ),
        (
            {"job": {"manualSelector": True}},
            ['spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"'],
        ),
        ({"job": {"backoffLimit": -1}}, [f"spec.jobTemplate.spec.backoffLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"job": {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Always"}}}},
            [('spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"')],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_cron_job(**spec), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"timeZone": "UTC"}, []),
        ({"name": "n" * 52}, []),
        ({"name": "n" * 53}, [f'metadata.name: Invalid value: "{"n" * 53}": must be no more than 52 characters']),
        ({"timeZone": ""}, ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
        ({"timeZone": "Amerika/New_York"}, [UNKNOWN.format("Amerika/New_York")]),
        ({"timeZone": "/etc/passwd"}, [UNKNOWN.format("/etc/passwd")]),
        ({"timeZone": "../UTC"}, [UNKNOWN.format("../UTC")]),
        ({"timeZone": "UTC/-a"}, [UNKNOWN.format("UTC/-a")]),
        (
            {"timeZone": "Local"},
            [
                (
                    'spec.timeZone: Invalid value: "Local": '
                    "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
                )
            ],
        ),
        (
            {"schedule": "TZ=UTC 0 * * * *"},
            [f'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": {ZONE_WORDS}'],
        ),
    ],
)
def test_new_ones(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_create(_cron_job(**spec), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ({"name": "n" * 60}, {"name": "n" * 60}, []),
        ({"timeZone": "Gone"}, {"timeZone": "Gone", "suspend": True}, []),
        ({}, {"timeZone": "Gone"}, [UNKNOWN.format("Gone")]),
        ({"schedule": "TZ=UTC 0 * * * *"}, {"schedule": "TZ=UTC 1 * * * *"}, []),
        (
            {"schedule": "TZ=UTC 0 * * * *"},
            {"schedule": "TZ=UTC 0 * * * *", "timeZone": "UTC"},
            [
                (
                    'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": '
                    "cannot use both timeZone field and TZ or CRON_TZ in schedule"
                )
            ],
        ),
        (
            {},
            {"schedule": "CRON_TZ=UTC 0 * * * *"},
            [f'spec.schedule: Invalid value: "CRON_TZ=UTC 0 * * * *": {ZONE_WORDS}'],
        ),
    ],
)
def test_update(old: dict[str, Any], new: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_cron_job(**new), _cron_job(**old), errors)
    assert [str(error) for error in errors] == wrong


def test_warnings() -> None:
    assert RESOURCE.warn is not None
    obj = _cron_job(job={"template": {"spec": {**TEMPLATE["spec"], "imagePullSecrets": [{}]}}})
    secret = 'spec.jobTemplate.spec.template.spec.imagePullSecrets[0].name: invalid empty name ""'
    assert RESOURCE.warn(obj, None) == [secret]
    assert RESOURCE.warn(obj, obj) == []
    assert RESOURCE.warn(_cron_job(schedule="TZ=UTC 0 * * * *"), _cron_job()) == [
        (
            "CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see "
            "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        )
    ]


def test_jobs_have_no_scheduling_while_its_gate_is_off() -> None:
    obj = {**_cron_job(job={"scheduling": {}}), "status": {"active": [{}]}}
    RESOURCE.prepare_for_create(obj)
    assert "scheduling" not in obj["spec"]["jobTemplate"]["spec"]
    assert obj["status"] == {}
    obj["spec"]["jobTemplate"]["spec"]["scheduling"] = {}
    RESOURCE.prepare_for_update(obj, {**_cron_job(), "status": {"active": [{"name": "a"}]}})
    assert "scheduling" not in obj["spec"]["jobTemplate"]["spec"]
    assert obj["status"] == {"active": [{"name": "a"}]}
