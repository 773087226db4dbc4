import pytest

from pilothouse.controllers.garbage_collector.graph import Identity, Node, Owner
from pilothouse.controllers.garbage_collector.verdict import Delete, Keep, Standing, judge

STANDINGS = {"s": Standing.SOLID, "d": Standing.DANGLING, "w": Standing.WAITING}
FREE = Node(Identity("A", "v1", "", "free", "free"))
WAITS = Node(Identity("A", "v1", "", "waits", "waits"), going=True, waiting=True)
BACKGROUND, FOREGROUND, ORPHAN = Delete("Background"), Delete("Foreground"), Delete("Orphan")


@pytest.mark.parametrize(
    ("owners", "finalizers", "dependents", "verdict"),
    [
        ("", [], [], Keep()),
        ("s", [], [], Keep()),
        ("sd", [], [], Keep(("d1",))),
        ("wsd", [], [FREE], Keep(("d2", "w0"))),
        ("d", [], [], BACKGROUND),
        ("dd", [], [FREE], BACKGROUND),
        ("d", ["orphan"], [], ORPHAN),
        ("d", ["foregroundDeletion"], [], FOREGROUND),
        ("d", ["example.com/x"], [], BACKGROUND),
        ("w", [], [], BACKGROUND),
        ("w", ["orphan"], [], ORPHAN),
        ("w", [], [FREE], FOREGROUND),
        ("w", ["orphan"], [FREE], FOREGROUND),
        ("wd", [], [FREE], FOREGROUND),
        ("w", [], [FREE, WAITS], Delete("Foreground", unblock=True)),
        ("d", [], [WAITS], BACKGROUND),
    ],
)
def test_what_becomes_of_an_object(
    owners: str, finalizers: list[str], dependents: list[Node], verdict: Keep | Delete
) -> None:
    """`owners` says how each of them is: solid, dangling or waiting."""
    references = [Owner("A", "v1", letter, f"{letter}{position}") for position, letter in enumerate(owners)]
    standings = {reference: STANDINGS[reference.name] for reference in references}
    assert judge(references, standings, finalizers, dependents) == verdict
