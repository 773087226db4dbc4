"""IntOrString: a number, or a text that names a port or a percentage.

On the wire it is simply a JSON number or string, and so it is in our dicts; these functions read one. Source:
apimachinery/pkg/util/intstr. Deployments round maxSurge up and maxUnavailable down.
"""

from pilothouse.api.machinery.whole_numbers import int_or, parse_int

IntOrString = int | str


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
    return int_or(0, value)


def _number(digits: str, whole: str) -> int:
    try:
        return parse_int(digits, function="Atoi")
    except ValueError as why:
        raise ValueError(f'invalid value for IntOrString: invalid value "{whole}": {why}') from None
