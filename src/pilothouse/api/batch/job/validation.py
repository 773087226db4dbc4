"""What a Job, or the job template of a CronJob, must satisfy.

Source of the facts: pkg/apis/batch/validation/validation.go. The functions add what is wrong in upstream's words and
order.
"""

from pilothouse.api.batch.job.policies import (
    success_policy_as_go_shows,
    validate_failure_policy,
    validate_replacement,
    validate_success_policy,
)
from pilothouse.api.batch.job.strategy import NAME_LABEL, OLD_NAME_LABEL, OLD_UID_LABEL, UID_LABEL
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_label, validate_domain_prefixed_path
from pilothouse.api.machinery.number_rules import validate_counts
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject

_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
           "backoffLimitPerIndex", "maxFailedIndexes")  # fmt: skip
_MODES = ("NonIndexed", "Indexed")
_ENDING_POLICIES = ("OnFailure", "Never")
_MANY, _FEWER = 100_000, 10_000
"""Completions above which an Indexed Job may have fewer pods at once, lest its status outgrow an object."""
_MAX_MANAGED_BY = 63
_AT_MOST = "must be less than or equal to"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The spec is right, its selector selects what its template makes, and its pods can be named."""
    spec = obj.get("spec") or {}
    validate_spec(spec, errors, "spec")
    selector, before = spec.get("selector"), len(errors)
    if selector is None:
        errors.required("spec.selector")
    else:
        validate_label_selector(selector, errors, "spec.selector")
    labels = dig(spec, "template", "metadata", "labels")
    if len(errors) == before + (selector is None) and not from_label_selector(selector).matches(labels or {}):
        why = "`selector` does not match template `labels`"
        errors.invalid("spec.template.metadata.labels", labels or None, why)
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        name = dig(obj, "metadata", "name") or ""
        last = f"{name}-{completions - 1}"
        if dns_label(last):
            errors.invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """The selector that was made for it is the one it has."""
    validate_generated_selector(obj, errors, prefixed=True)


def validate_generated_selector(obj: JsonObject, errors: FieldErrors, *, prefixed: bool) -> None:
    """Unless the author chose a selector, template and selector carry the Job's uid and name, and no others.

    Jobs that are older than the labels with a prefix need not have them: `prefixed` says whether this one does.
    """
    spec, metadata = obj.get("spec") or {}, obj.get("metadata") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    name, uid = metadata.get("name") or "", metadata.get("uid") or ""
    if not uid:
        errors.required("metadata.uid")
    expected = {OLD_UID_LABEL: uid, OLD_NAME_LABEL: name}
    if prefixed:
        expected |= {UID_LABEL: uid, NAME_LABEL: name}
    labels = dig(spec, "template", "metadata", "labels") or {}
    for key, value in expected.items():
        where = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.required(where, f"must be '{value}'")
        elif labels[key] != value:
            errors.invalid(where, labels, f"must be '{value}'")
    try:
        fits = from_label_selector(spec["selector"]).matches(expected)
    except ValueError:
        return
    if not fits:
        errors.invalid("spec.selector", spec["selector"], "`selector` not auto-generated")


def validate_spec(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """What holds of the spec of a Job and of one in a CronJob."""
    validate_counts(spec, _COUNTS, errors, path)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        errors.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if (manager := spec.get("managedBy")) is not None:
        validate_domain_prefixed_path(manager, errors, f"{path}.managedBy")
        if len(manager) > _MAX_MANAGED_BY:
            errors.too_long(f"{path}.managedBy", _MAX_MANAGED_BY)
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        errors.not_supported(f"{path}.completionMode", mode, _MODES)
    if mode == "Indexed":
        _validate_indexed(spec, errors, path)
    elif mode in (None, "NonIndexed"):
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                errors.invalid(f"{path}.{name}", spec[name], "requires indexed completion mode")
    if spec.get("podFailurePolicy") is not None:
        validate_failure_policy(spec, errors, f"{path}.podFailurePolicy.rules")
    if (policy := spec.get("successPolicy")) is not None:
        if mode == "Indexed":
            validate_success_policy(spec, errors, f"{path}.successPolicy.rules")
        else:
            shown = success_policy_as_go_shows(policy)
            errors.invalid(f"{path}.successPolicy", shown, "requires indexed completion mode")
    validate_replacement(spec, errors, f"{path}.podReplacementPolicy")
    validate_pod_template(spec.get("template") or {}, errors, f"{path}.template")
    _validate_restart_policy(spec, errors, f"{path}.template.spec.restartPolicy")


def _validate_indexed(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    completions, at_once, failed = (spec.get(name) for name in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        errors.required(f"{path}.completions", "when completion mode is Indexed")
    if at_once is not None and at_once > _MANY:
        errors.invalid(f"{path}.parallelism", at_once, f"{_AT_MOST} {_MANY} when completion mode is Indexed")
    if failed is not None:
        if completions is not None and failed > completions:
            errors.invalid(f"{path}.maxFailedIndexes", failed, f"{_AT_MOST} completions")
        if failed > _MANY:
            errors.invalid(f"{path}.maxFailedIndexes", failed, f"{_AT_MOST} {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    words = f"{_AT_MOST} {_FEWER} when completions are above {_MANY} and used with backoff limit per index"
    if failed is None:
        errors.required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {_MANY}")
    if at_once is not None and at_once > _FEWER:
        errors.invalid(f"{path}.parallelism", at_once, words)
    if failed is not None and failed > _FEWER:
        errors.invalid(f"{path}.maxFailedIndexes", failed, words)


def _validate_restart_policy(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    policy = dig(spec, "template", "spec", "restartPolicy") or ""
    if policy in ("", "Always"):
        errors.required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in _ENDING_POLICIES:
        errors.not_supported(path, policy, _ENDING_POLICIES)
    elif policy != "Never" and spec.get("podFailurePolicy") is not None:
        errors.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def validate_template_spec(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """The spec of the Jobs of a CronJob, each of which gets a selector of its own."""
    validate_spec(spec, errors, path)
    if spec.get("selector") is not None:
        errors.invalid(f"{path}.selector", spec["selector"], "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        errors.not_supported(f"{path}.manualSelector", True, ("nil", "false"))
