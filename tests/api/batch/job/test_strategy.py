"""Warnings and selectable fields of a Job. Sources: TestWarningsForJobSpec in pkg/api/job/warnings_test.go,
TestJobToSelectableFields.
"""

from typing import Any

import pytest

from fakes.jobs import job, template
from pilothouse.api.batch.job import RESOURCE

MANY = {"completionMode": "Indexed", "completions": 100_001, "parallelism": 10_001}
WORDS = (
    "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
    "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
)
SECRET = template(imagePullSecrets=[{"name": ""}])


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, []),
        (MANY, [WORDS]),
        ({**MANY, "parallelism": 10_000}, []),
        ({**MANY, "completions": 100_000}, []),
        ({**MANY, "completionMode": "NonIndexed"}, []),
        ({"template": SECRET}, ['spec.template.spec.imagePullSecrets[0].name: invalid empty name ""']),
    ],
)
def test_warnings(spec: dict[str, Any], told: list[str]) -> None:
    assert RESOURCE.warn is not None
    assert RESOURCE.warn(job(**spec), None) == told


def test_an_update_warns_of_what_it_changes() -> None:
    assert RESOURCE.warn is not None
    old, new = job(**MANY), job("a.b", **MANY)
    assert RESOURCE.warn(new, old) == []
    new["metadata"]["generation"] = 2
    assert RESOURCE.warn(new, old) == [WORDS]


def test_a_name_with_dots() -> None:
    assert RESOURCE.warn is not None
    assert RESOURCE.warn(job("a.b"), None)[0].startswith("metadata.name: this is used in Pod names and hostnames")


@pytest.mark.parametrize(("status", "text"), [({}, "0"), ({"succeeded": 2}, "2")])
def test_successes_can_be_selected(status: dict[str, int], text: str) -> None:
    assert RESOURCE.selectable_fields["status.successful"]({"status": status}) == text


SCHEDULING: dict[str, Any] = {"schedulingPolicy": {"basic": {}}}


def test_what_is_behind_a_gate_is_taken_out_unless_it_is_there() -> None:
    assert "scheduling" not in job(scheduling=SCHEDULING)["spec"]
    old, new = job(), job()
    new["spec"]["scheduling"] = SCHEDULING
    RESOURCE.prepare_for_update(new, old)
    assert "scheduling" not in new["spec"]
    old["spec"]["scheduling"] = new["spec"]["scheduling"] = SCHEDULING
    RESOURCE.prepare_for_update(new, old)
    assert new["spec"]["scheduling"] == SCHEDULING
