"""The stand-ins of the images that upstream's conformance tests run, made from what this machine has.

They have the names that the tests use, and behave as upstream's as far as the tests look: BusyBox, and one program in
Python's standard library for everything else (`agnhost/`).
"""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from contract import images
from contract_images import interpreter
from contract_images.archive import Image, Layer, write

_HERE = Path(__file__).parent
_LIBRARY = "/usr/lib/agnhost"
_START = """#!{python} -ISE
import sys
sys.path.insert(0, "{library}")
from contract_images.agnhost.{module} import main
sys.exit(main(sys.argv[1:]))
"""
_EUID = """#!{python} -ISE
import posix
print(f"Effective uid: {{posix.geteuid()}}")
"""
_PACKAGES = ("hpack",)
_KITTEN = '{"image": "kitten.jpg"}\n'
_SYSTEM = 'PRETTY_NAME="BusyBox in place of Alpine Linux"\n'
_PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
_GROUP = """root:x:0:
daemon:x:1:
www-data:x:33:
nogroup:x:65534:
"""


def build_all(load: Callable[[Path], object]) -> None:
    """Make every image and have `load` put the archive with all of them on the nodes (`pilothouse image load`)."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "images.tar"
        write(stand_ins(), archive)
        load(archive)


def stand_ins() -> dict[str, Image]:
    """The images by name."""
    tools = _tools()
    python = interpreter.layer(_modules(), [_HERE.parent, *_packages()])
    agnhost = Image(
        [tools, python, _agnhost()], entrypoint=["/agnhost"], command=["pause"], ports=[80, 8080, 8081, 9376]
    )
    return {
        images.AGNHOST: agnhost,
        images.BUSYBOX: Image([tools], command=["sh"]),
        images.NON_ROOT: Image([tools], command=["sh"], user="1234"),
        images.NONEWPRIVS: Image([tools, python, set_user_id()], entrypoint=["/nonewprivs"]),
        images.KITTEN: _web(tools, {"data.json": _KITTEN}, {"/data.json": _KITTEN, "/etc/os-release": _SYSTEM}),
        images.NAUTILUS: _web(tools, {"data.json": '{"image": "nautilus.jpg"}\n'}),
        images.HTTPD: _web(tools, {"index.html": "<html><body><h1>It works!</h1></body></html>\n"}),
        images.HTTPD_NEW: _web(tools, {"index.html": "<html><body><h1>It works!</h1></body></html>\n"}),
        images.PAUSE: Image([_waiting()], entrypoint=["/pause", "-P"]),
    }


def _program(name: str) -> Path:
    """A program of this machine."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: apt-get install busybox-static catatonit")
    return Path(found).resolve()


def _tools() -> Layer:
    """BusyBox under the name of each of its tools, and the directories that every system has."""
    busybox = _program("busybox")
    made = Layer()
    made.copy(busybox, "/bin/busybox")
    listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in listed:
        if name != "busybox":
            made.link(f"/bin/{name}", "/bin/busybox")
    made.link("/usr/bin/env", "/bin/busybox")
    for path, mode in (
        ("/root", 0o755),
        ("/home", 0o755),
        ("/tmp", 0o1777),
        ("/var/tmp", 0o1777),
        ("/usr/sbin", 0o755),
    ):
        made.directory(path, mode)
    made.file("/etc/passwd", _PASSWD)
    made.file("/etc/group", _GROUP)
    made.file("/etc/nsswitch.conf", "hosts: files dns\n")
    return made


def _modules() -> list[str]:
    commands = sorted(path.stem for path in (_HERE / "agnhost" / "commands").glob("*.py"))
    return [
        f"contract_images.agnhost.{module}" for module in ("main", "curl", *(f"commands.{each}" for each in commands))
    ]


def _packages() -> list[Path]:
    """Where the packages lie that are not part of Python."""
    specs = [importlib.util.find_spec(name) for name in _PACKAGES]
    return sorted({Path(spec.origin).parents[1] for spec in specs if spec is not None and spec.origin is not None})


def _agnhost() -> Layer:
    made = Layer()
    for path, module in (("/agnhost", "main"), ("/usr/bin/curl", "curl")):
        made.file(path, _START.format(python=interpreter.COMMAND, library=_LIBRARY, module=module), 0o755)
    made.link("/agnhost-2", "agnhost")
    made.directory("/uploads", 0o777)
    packages = [(place / name, place) for place in _packages() for name in _PACKAGES]
    for package, place in ((_HERE / "agnhost", _HERE.parent), *packages):
        for source in sorted(package.rglob("*.py")):
            made.file(f"{_LIBRARY}/{source.relative_to(place).with_suffix('.pyc')}", interpreter.compiled(source))
    return made


def set_user_id() -> Layer:
    """A program that is root whoever starts it, unless it may not become what it was not."""
    made = Layer()
    program = interpreter.executable()
    beside = str(program.with_name("python3-as-root"))
    made.file(beside, program.read_bytes(), 0o4755)
    made.file("/nonewprivs", _EUID.format(python=beside), 0o755)
    return made


def _web(tools: Layer, files: dict[str, str], more: Mapping[str, str] | None = None) -> Image:
    """A web server with a few files, and more that it does not serve. The init hands the signal on that ends it."""
    made = Layer()
    made.copy(_program("catatonit"), "/bin/init")
    for name, text in files.items():
        made.file(f"/www/{name}", text)
    for path, text in (more or {}).items():
        made.file(path, text)
    serve = ["/bin/init", "--", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www"]
    return Image([tools, made], entrypoint=serve, ports=[80])


def _waiting() -> Layer:
    made = Layer()
    made.copy(_program("catatonit"), "/pause")
    return made


if __name__ == "__main__":
    write(stand_ins(), Path(sys.argv[1]))
