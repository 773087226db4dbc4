"""Truth as Go's strconv.ParseBool reads it: flags and annotations are written so."""

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def parse_bool(text: str) -> bool:
    """Raises ValueError in Go's words."""
    if text not in TRUE and text not in FALSE:
        raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in TRUE
