"""From one ruleset to the next."""

import pytest

from pilothouse.proxy.ruleset import Chain, Elements, Ruleset, change, remove, replace

MAP = "type ipv4_addr : verdict"


def rules(chains: dict[str, tuple[str, ...]], elements: dict[str, str] | None = None) -> Ruleset:
    sets = {} if elements is None else {"m": Elements(MAP, elements, is_map=True)}
    return Ruleset("ip t", {name: Chain(each) for name, each in chains.items()}, sets)


@pytest.mark.parametrize(
    ("old", "new", "script"),
    [
        (rules({}), rules({}), []),
        (rules({}), rules({"a": ("accept",)}), ["add chain ip t a", "add rule ip t a accept"]),
        (rules({"a": ("accept",)}), rules({"a": ("drop",)}), ["flush chain ip t a", "add rule ip t a drop"]),
        (rules({"a": ("accept",)}), rules({}), ["flush chain ip t a", "delete chain ip t a"]),
        (
            rules({"a": ()}, {"1": "goto a", "2": "goto a"}),
            rules({"b": ()}, {"1": "goto b", "3": "drop"}),
            ["add chain ip t b", "delete element ip t m { 1, 2 }", "add element ip t m { 1 : goto b, 3 : drop }",
             "flush chain ip t a", "delete chain ip t a"],
        ),
        (rules({}, {"1": "drop"}), rules({}), ["delete map ip t m"]),
        (rules({}), rules({}, {"1": "drop"}),
         [f"add map ip t m {{ {MAP}; }}", "add element ip t m { 1 : drop }"]),
    ],
)  # fmt: skip
def test_change(old: Ruleset, new: Ruleset, script: list[str]) -> None:
    assert change(old, new).splitlines() == (["add table ip t", *script] if script else [])


def test_a_set_that_is_declared_otherwise_is_made_anew() -> None:
    def clients(seconds: int) -> Ruleset:
        declared = {"c": Elements(f"type ipv4_addr; timeout {seconds}s", {"1.2.3.4": ""})}
        return Ruleset("ip t", {"a": Chain(("ip saddr @c drop",))}, declared)

    lines = change(clients(60), clients(90)).splitlines()
    assert lines == replace(clients(90)).splitlines()


def test_replace_and_remove() -> None:
    assert replace(rules({})) == "add table ip t\ndelete table ip t\n"
    assert remove("ip t") == "add table ip t\ndelete table ip t\n"
