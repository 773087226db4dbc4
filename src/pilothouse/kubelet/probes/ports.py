"""Ports of containers by number or by name."""

from pilothouse.api.types.core_v1 import Container


def named_port(container: Container, port: int | str | None) -> int:
    """The number. Raises ValueError for a name that no port of the container has."""
    if isinstance(port, int):
        number = port
    else:
        numbers = [one.containerPort for one in container.ports if one.name == port]
        text = str(port or "")
        if not numbers and not text.isdigit():
            raise ValueError(f"couldn't find port: {text!r} in {container.name}")
        number = numbers[0] if numbers else int(text)
    if not 0 < number < 65536:
        raise ValueError(f"invalid port number: {number}")
    return number
