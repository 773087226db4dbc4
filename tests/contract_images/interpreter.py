"""The part of this machine's Python that the stand-in programs need, as a layer.

The interpreter, its libraries and the modules lie where they lie here, so that nothing has to be told where they are;
modules are compiled, without their source. Which ones are needed, the interpreter tells: it imports the programs.
"""

import importlib.util
import json
import marshal
import re
import struct
import subprocess
import sys
from pathlib import Path

from contract_images.archive import Layer

COMMAND = "/usr/bin/python3"
"""Where the images have it."""
_ALSO = ("encodings.idna", "encodings.latin_1", "encodings.ascii", "_strptime", "stringprep", "unicodedata")
"""What the standard library imports only when it is needed."""
_TELL = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
print(json.dumps([each.__file__ for each in [*sys.modules.values()] if getattr(each, "__file__", None)]))
"""


def executable() -> Path:
    """The interpreter itself, not what a virtual environment has in its place."""
    return Path(sys.executable).resolve()


def layer(modules: list[str], places: list[Path]) -> Layer:
    """The interpreter with what `modules` import; they are found in `places`, whose own files are not part of it."""
    program = executable()
    told = subprocess.run(
        [program, "-ISE", "-c", _TELL, json.dumps([str(each) for each in places]), json.dumps([*modules, *_ALSO])],
        check=True,
        capture_output=True,
        text=True,
    )
    files = [Path(each) for each in json.loads(told.stdout)]
    files = [each for each in files if not any(place in each.parents for place in places)]
    made = Layer()
    made.copy(program)
    made.link(COMMAND, str(program))
    for file in files:
        if file.suffix == ".py":
            made.file(str(file.with_suffix(".pyc")), compiled(file))
        else:
            made.copy(file)
    for library in _libraries([program, *(each for each in files if each.suffix == ".so")]):
        made.copy(library)
    return made


def compiled(source: Path) -> bytes:
    """The byte code of a module: Python's own cached copy, where there is one."""
    cached = Path(importlib.util.cache_from_source(str(source)))
    if cached.is_file() and cached.stat().st_mtime >= source.stat().st_mtime:
        return cached.read_bytes()
    code = compile(source.read_bytes(), str(source), "exec")
    return importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + marshal.dumps(code)


def _libraries(programs: list[Path]) -> list[Path]:
    """The shared libraries that they load, by the paths at which the loader finds them."""
    told = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    return sorted({Path(each) for each in re.findall(r"(/\S+) \(0x", told)})
