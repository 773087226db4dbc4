"""Files of environment variables that init containers leave for others (KEP-3721): pure.

A subset of what a shell reads: `NAME='value'` a line, the value in single quotes, where nothing is special and which
may span lines; comments and blank lines between. Anything else is an error: it is better found than guessed at.
"""

_BLANKS = " \t"


class EnvFileError(ValueError):
    """The file is not written as it must be; the text says where."""


def parse_env_file(text: str, key: str) -> str:
    """The value of `key`, empty where the file has none. Raises EnvFileError, for what stands before the key."""
    rest, number = text, 0
    while rest:
        line, _, after = rest.partition("\n")
        number += 1
        stripped = line.lstrip(_BLANKS)
        if not stripped or stripped.startswith("#"):
            rest = after
            continue
        name, assigned, begin = stripped.partition("=")
        if not assigned or not name or name != name.rstrip(_BLANKS):
            raise _wrong(number, "missing '='" if not assigned else "whitespace before '='" if name.strip() else
                         "empty variable name")  # fmt: skip
        value, lines, rest = _value(begin, after, number)
        if name == key:
            return value
        number += lines
    return ""


def _value(begin: str, after: str, number: int) -> tuple[str, int, str]:
    """The value, how many more lines it took, and what follows them."""
    if not begin or begin[0] in _BLANKS:
        return "", 0, after
    if begin[0] != "'":
        raise _wrong(number, "value must be enclosed in single quotes")
    value, quote, behind = f"{begin[1:]}\n{after}".partition("'")
    if not quote:
        raise _wrong(number, "unclosed single quote")
    tail, _, rest = behind.partition("\n")
    if tail.strip(_BLANKS) and not tail.lstrip(_BLANKS).startswith("#"):
        raise _wrong(number + value.count("\n"), "unexpected content after closing quote")
    return value, value.count("\n"), rest


def _wrong(number: int, what: str) -> EnvFileError:
    return EnvFileError(f"invalid environment variable format at line {number}: {what}")
