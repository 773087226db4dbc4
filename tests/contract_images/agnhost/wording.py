"""How Go's libraries print what the tests compare: quoted text, errors of files, modes."""

import os
import stat

_KINDS = ((stat.S_ISDIR, "d"), (stat.S_ISLNK, "L"), (stat.S_ISFIFO, "p"), (stat.S_ISSOCK, "S"), (stat.S_ISBLK, "D"))


def quoted(text: str) -> str:
    """What %q prints for a path."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def reason(error: OSError) -> str:
    """The words for an error of the kernel's."""
    said = os.strerror(error.errno or 0)
    return said[:1].lower() + said[1:]


def permissions(mode: int) -> str:
    """The nine bits, with the dash that stands for "no kind"."""
    bits = "".join(letter if mode & (0o400 >> at) else "-" for at, letter in enumerate("rwxrwxrwx"))
    return "-" + bits


def whole_mode(mode: int) -> str:
    """Kind and bits: each kind and special bit is a letter in front, and there is a dash only where there is none."""
    kind = "".join(letter for of, letter in _KINDS if of(mode))
    if stat.S_ISCHR(mode):
        kind = "Dc"
    special = "".join(letter for bit, letter in ((0o4000, "u"), (0o2000, "g")) if mode & bit)
    front = kind.replace("c", "") + special + ("c" if "c" in kind else "") + ("t" if mode & 0o1000 else "")
    return (front or "-") + permissions(mode)[1:]


def as_json(content: object) -> str:
    """JSON as Go writes it: no spaces, and nothing that a browser could take for a tag."""
    import json  # what most sub-commands need not wait for

    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
