"""Finds units: one class or one value a file, in a directory that holds nothing else.

A kind, a controller, a plugin, a verb is added by adding its file; nothing else is edited. Third-party packages add
theirs through entry points, which load only when configuration names them.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules(package: str) -> Iterator[ModuleType]:
    """Import every module below `package`, in the order of their names."""
    root = importlib.import_module(package)
    for info in sorted(pkgutil.walk_packages(root.__path__, f"{package}."), key=lambda info: info.name):
        yield importlib.import_module(info.name)


def subclasses(base: type[T], package: str) -> list[type[T]]:
    """Every concrete subclass of `base` defined in a module below `package`, in the order of module and name."""
    return [
        value
        for module in modules(package)
        for _, value in sorted(vars(module).items())
        if isinstance(value, type)
        and issubclass(value, base)
        and value is not base
        and value.__module__ == module.__name__
        and not getattr(value, "__abstractmethods__", None)
    ]


def values(name: str, kind: type[T], package: str) -> list[T]:
    """The module attribute `name` of every module below `package` that defines one of type `kind`."""
    return [found for module in modules(package) if isinstance(found := vars(module).get(name), kind)]


def named(group: str, names: Sequence[str]) -> list[object]:
    """Load the entry points of `group` that configuration names. Raises LookupError for one that is not installed."""
    installed = {point.name: point for point in entry_points(group=group)}
    missing = [name for name in names if name not in installed]
    if missing:
        raise LookupError(f"no installed package offers {', '.join(missing)} for {group}")
    return [installed[name].load() for name in names]
