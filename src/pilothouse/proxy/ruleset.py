"""Ruleset: one nftables table as data, and the script that leads from one to the next. Pure.

Chains are lists of rules; sets and maps are declarations with elements. The difference of two rulesets is one
transaction that touches only what changed, so that ten thousand services cost nothing while one of them changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order; a base chain hangs on a hook."""

    rules: tuple[str, ...]
    hook: str = ""


@dataclass(frozen=True, slots=True)
class Elements:
    """A set or a map. A set's elements have no value."""

    declaration: str
    elements: Mapping[str, str] = field(default_factory=dict)
    is_map: bool = False

    @property
    def noun(self) -> str:
        """What nft calls it."""
        return "map" if self.is_map else "set"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The whole table."""

    table: str
    """Family and name."""
    chains: Mapping[str, Chain] = field(default_factory=dict)
    sets: Mapping[str, Elements] = field(default_factory=dict)


def replace(new: Ruleset) -> str:
    """The script that makes the table anew, whatever it holds."""
    fresh = Ruleset(new.table)
    return "".join(f"{line}\n" for line in (f"add table {new.table}", f"delete table {new.table}")) + change(fresh, new)


def remove(table: str) -> str:
    """The script that removes the table, whether it is there or not."""
    return f"add table {table}\ndelete table {table}\n"


def change(old: Ruleset, new: Ruleset) -> str:
    """The script that leads from one ruleset to the other; empty when they are the same."""
    table = new.table
    lines: list[str] = []
    if any(name in old.sets and old.sets[name].declaration != each.declaration for name, each in new.sets.items()):
        return replace(new)  # rules hold on to a set, so it cannot be declared anew under them
    gone_sets = [name for name in old.sets if name not in new.sets]
    gone_chains = [name for name in old.chains if name not in new.chains]
    changed = {name: chain for name, chain in new.chains.items() if old.chains.get(name) != chain}
    for name, each in new.sets.items():
        if name not in old.sets:
            lines.append(f"add {each.noun} {table} {name} {{ {each.declaration}; }}")
    for name, chain in changed.items():
        if name not in old.chains:
            lines.append(f"add chain {table} {name}" + (f" {{ {chain.hook}; }}" if chain.hook else ""))
        else:
            lines.append(f"flush chain {table} {name}")
    for name, each in old.sets.items():
        lines += _elements("delete", table, name, each, new.sets.get(name))
    lines += [f"add rule {table} {name} {rule}" for name, chain in changed.items() for rule in chain.rules]
    for name, each in new.sets.items():
        lines += _elements("add", table, name, each, old.sets.get(name))
    lines += [f"flush chain {table} {name}" for name in gone_chains]
    lines += [f"delete chain {table} {name}" for name in gone_chains]
    lines += [f"delete {old.sets[name].noun} {table} {name}" for name in gone_sets]
    if not lines:
        return ""
    return "".join(f"{line}\n" for line in (f"add table {table}", *lines))


def _elements(verb: str, table: str, name: str, having: Elements, other: Elements | None) -> list[str]:
    """Elements of one ruleset that the other does not have, or has with another value."""
    if verb == "delete" and other is None:
        return []
    known = other.elements if other else {}
    differing = {key: value for key, value in having.elements.items() if known.get(key) != value}
    if not differing:
        return []
    written = [f"{key} : {value}" if value and verb == "add" else key for key, value in differing.items()]
    return [f"{verb} element {table} {name} {{ {', '.join(written)} }}"]
