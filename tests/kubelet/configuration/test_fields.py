"""The table of fields: all there, and each either does something or is listed as doing nothing."""

from typing import Any

import pytest

from pilothouse.api.machinery.schema import check
from pilothouse.kubelet.configuration.fields import (
    durations,
    leaves,
    look_up,
    put,
    schema,
    top_level,
    upstream_defaults,
)
from pilothouse.kubelet.configuration.mapping import CHECKED, FIELDS, NO_EFFECT

FIELDS_AT_V1_37 = 126
"""Of KubeletConfiguration, without kind and apiVersion."""


def test_every_field_of_v1beta1_is_there() -> None:
    assert len(top_level()) == FIELDS_AT_V1_37


def test_every_field_has_an_effect_or_is_said_to_have_none() -> None:
    known, listed = {*leaves()}, [*FIELDS, *NO_EFFECT, *CHECKED]
    assert sorted(listed) == sorted({*listed}), "some field is listed twice"
    assert known - {*listed} == set()
    assert {*listed} - known == set()


def test_the_defaults_are_as_the_schema_has_them() -> None:
    found = check(schema(), upstream_defaults())
    assert (found.errors, found.strict) == ((), ())
    for name, _ in durations():
        assert isinstance(look_up(upstream_defaults(), name), str), name


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"port": "1"}, "json: cannot unmarshal string into Go struct field KubeletConfiguration.port of type int32"),
        ({"maxPods": 2**31}, ("json: cannot unmarshal number 2147483648 into Go struct field "
                             "KubeletConfiguration.maxPods of type int32")),
        ({"authentication": {"webhook": {"enabled": 1}}},
         ("json: cannot unmarshal number into Go struct field "
         "KubeletWebhookAuthentication.authentication.webhook.enabled of type bool")),
        ({"clusterDNS": "10.0.0.10"},
         "json: cannot unmarshal string into Go struct field KubeletConfiguration.clusterDNS of type []string"),
    ],
)  # fmt: skip
def test_wrong_types_are_told_in_go_s_words(document: dict[str, Any], wrong: str) -> None:
    assert check(schema(), document).errors == (wrong,)


def test_zeros_of_what_is_no_pointer_are_unset() -> None:
    document = {"port": 0, "address": "", "runOnce": False, "healthzPort": 0, "evictionHard": {}, "clusterDNS": []}
    assert check(schema(), document).object == {"healthzPort": 0, "evictionHard": {}, "clusterDNS": []}


def test_paths() -> None:
    document: dict[str, Any] = {}
    put(document, "logging.options.text.splitStream", True)
    assert document == {"logging": {"options": {"text": {"splitStream": True}}}}
    assert look_up(document, "logging.options.text.splitStream") is True
    assert look_up(document, "logging.options.text.splitStream.deeper") is None
    assert look_up(document, "tracing.endpoint") is None
