"""What a KubeletConfiguration must not say of logs and traces, though neither has an effect here: pure.

Source: staging/src/k8s.io/component-base/logs/api/v1/options.go, tracing/api/v1/config.go.
"""

from collections.abc import Iterator

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.configuration.fields import look_up

_MILLION = 1_000_000
_FORMATS = ("text", "json")


def logging_errors(document: JsonObject) -> Iterator[str]:
    """All that is wrong."""
    errors = FieldErrors()
    form = look_up(document, "logging.format")
    if form not in _FORMATS:
        errors.invalid("logging.format", form, "Unsupported log format")
    rate = look_up(document, "tracing.samplingRatePerMillion")
    if rate is not None and rate < 0:
        errors.invalid("tracing.samplingRatePerMillion", rate, "sampling rate must be positive")
    elif rate is not None and rate > _MILLION:
        why = "sampling rate per million must be less than or equal to one million"
        errors.invalid("tracing.samplingRatePerMillion", rate, why)
    yield from (str(error) for error in errors)
