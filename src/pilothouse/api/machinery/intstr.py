"""IntOrString: a number, or a text that names a port or a percentage.

On the wire it is simply a JSON number or string, and so it is in our dicts; these functions read one. Source:
apimachinery/pkg/util/intstr. Deployments round maxSurge up and maxUnavailable down.
"""

import re

IntOrString = int | str

_NUMBER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)


def is_percent(value: IntOrString | None) -> bool:
    """Whether the value is a text that ends in a percent sign."""
    return isinstance(value, str) and value.endswith("%")


def scaled(value: IntOrString, of: int, *, round_up: bool) -> int:
    """The number itself, or so many percent of `of`. Raises ValueError for a text that is no percentage."""
    if isinstance(value, int):
        return value
    share = percentage(value) * of
    return -(-share // 100) if round_up else share // 100


def percentage(value: str) -> int:
    """25 of `25%`. Raises ValueError in upstream's words."""
    if not value.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    return _number(value[:-1], value)


def number(value: IntOrString) -> int:
    """The number, also where it was written as text; 0 for any other text."""
    if isinstance(value, int):
        return value
    return int(value) if _NUMBER.fullmatch(value) and int(value) in _INT64 else 0


def _number(digits: str, whole: str) -> int:
    if not _NUMBER.fullmatch(digits):
        why = f'strconv.Atoi: parsing "{digits}": invalid syntax'
    elif (found := int(digits)) not in _INT64:
        why = f'strconv.Atoi: parsing "{digits}": value out of range'
    else:
        return found
    raise ValueError(f'invalid value for IntOrString: invalid value "{whole}": {why}')
