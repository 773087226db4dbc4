"""Stop signals: the API writes `SIGRTMIN+1` and `SIGRTMAX-1`, CRI numbers what it calls SIGRTMINPLUS1 and so on."""

from pilothouse.kubelet.cri.messages import enum_names, enum_value

_NAMES = enum_names("Signal")


def signal_number(name: str) -> int:
    """CRI's number of a signal of the API."""
    return enum_value("Signal", name.replace("+", "PLUS").replace("-", "MINUS"))


def signal_name(number: int) -> str:
    """The API's name; empty for the runtime's default, and for what nobody knows."""
    if not 0 < number < len(_NAMES):
        return ""
    return _NAMES[number].replace("PLUS", "+").replace("MINUS", "-")
