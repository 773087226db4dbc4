"""Logs and traces: what must not be said of them."""

from typing import Any

import pytest

from pilothouse.kubelet.configuration.fields import upstream_defaults
from pilothouse.kubelet.configuration.logging_rules import logging_errors
from pilothouse.kubelet.configuration.merge import lay

RATE = "tracing.samplingRatePerMillion: Invalid value:"


@pytest.mark.parametrize(
    ("over", "wrong"),
    [
        ({}, []),
        ({"logging": {"format": "json"}, "tracing": {"samplingRatePerMillion": 1_000_000}}, []),
        ({"logging": {"format": "invalid"}}, ['logging.format: Invalid value: "invalid": Unsupported log format']),
        ({"tracing": {"samplingRatePerMillion": -1}}, [f"{RATE} -1: sampling rate must be positive"]),
        ({"tracing": {"samplingRatePerMillion": 1_000_001}},
         [f"{RATE} 1000001: sampling rate per million must be less than or equal to one million"]),
    ],
)  # fmt: skip
def test_what_is_refused(over: dict[str, Any], wrong: list[str]) -> None:
    assert [*logging_errors(lay(upstream_defaults(), over))] == wrong
