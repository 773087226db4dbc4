"""What the rules of a kind say of an object, for tables of patches: a good object, what is changed of it, the errors.

The object takes the steps that matter here of those it takes in the API server: defaults, strategy, rules.
"""

from typing import Any

import orjson

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.patch.merge import apply_merge_patch
from pilothouse.api.machinery.resource import Resource

Literal = dict[str, Any]


def patched(good: Literal, patch: Literal) -> Literal:
    """A copy of `good` with a JSON merge patch applied: null takes a field away, lists are replaced."""
    return apply_merge_patch(orjson.loads(orjson.dumps(good)), patch)


def created(resource: Resource[Any], good: Literal, patch: Literal) -> list[str]:
    """The errors of making `good` as changed by `patch`."""
    obj, errors = patched(good, patch), FieldErrors()
    resource.default(obj)
    resource.prepare_for_create(obj)
    resource.validate(obj, errors)
    resource.validate_create(obj, errors)
    return [str(error) for error in errors]


def updated(resource: Resource[Any], good: Literal, patch: Literal) -> list[str]:
    """The errors of changing `good` by `patch`."""
    obj, old, errors = patched(good, patch), patched(good, {}), FieldErrors()
    resource.default(obj)
    resource.default(old)
    resource.prepare_for_update(obj, old)
    resource.validate(obj, errors)
    resource.validate_update(obj, old, errors)
    return [str(error) for error in errors]


def status_updated(resource: Resource[Any], good: Literal, patch: Literal, part: str = "status") -> list[str]:
    """The errors of changing `good` by `patch` through a subresource."""
    obj, old, errors = patched(good, patch), patched(good, {}), FieldErrors()
    subresource = resource.subresource(part)
    assert subresource is not None
    if subresource.prepare is not None:
        subresource.prepare(obj, old)
    (subresource.validate or resource.validate_status)(obj, old, errors)
    return [str(error) for error in errors]
