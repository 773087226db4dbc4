"""Nothing is given twice, and what is given back is there again."""

from kubelet.managers.machines import GI, ledger
from pilothouse.kubelet.managers.memory_ledger import Amounts, Block, Ledger, assign, fits, release, same


def free(books: Ledger) -> list[int]:
    return [place.free("memory") // GI for place in books.values()]


def test_what_is_kept_and_what_is_set_aside_is_not_given() -> None:
    books = ledger(4, 3, kept=1, pages={2**21: 512, 2**30: 0})
    assert books[0].kinds == {
        "memory": Amounts(4 * GI, GI, 2 * GI, 0, 2 * GI),
        "hugepages-2Mi": Amounts(GI, 0, GI, 0, GI),
        "hugepages-1Gi": Amounts(0, 0, 0, 0, 0),
    }
    assert (books[1].allocatable("memory"), books[1].free("hugepages-64Ki")) == (2 * GI, 0)
    assert ledger(1, kept=2)[0].allocatable("memory") == 0


def test_nodes_of_a_group_are_filled_one_after_the_other() -> None:
    books = ledger(2, 4, 4)
    wide, more = Block((0, 1), "memory", 3 * GI), Block((0, 1), "memory", 2 * GI)
    assign(books, wide, 3 * GI)
    assign(books, more, GI)  # of which its pod has one already
    assert free(books) == [0, 2, 4]
    assert [(place.assignments, place.group) for place in books.values()] == [(2, (0, 1)), (2, (0, 1)), (0, (2,))]
    assert [fits(books, nodes) for nodes in ((0,), (2,), (0, 1), (1, 2), (0, 1, 2))] == [
        False, True, True, False, False,
    ]  # fmt: skip
    release(books, wide)
    assert free(books) == [2, 3, 4]
    release(books, Block((0, 1), "memory", GI))
    assert free(books) == [2, 4, 4]
    assert same(books, ledger(2, 4, 4))


def test_nodes_that_serve_alone_stand_in_no_group() -> None:
    books = ledger(4, 4)
    assign(books, Block((0,), "memory", GI), GI)
    assert [fits(books, nodes) for nodes in ((0,), (1,), (0, 1))] == [True, True, False]


def test_in_a_group_it_does_not_matter_which_node_gives() -> None:
    one, other = ledger(4, 4), ledger(4, 4)
    for books, order in ((one, (0, 1)), (other, (1, 0))):
        assign(books, Block((0, 1), "memory", 5 * GI), 5 * GI)
        books[order[0]].kinds["memory"].free, books[order[1]].kinds["memory"].free = 0, 3 * GI
        books[order[0]].kinds["memory"].reserved, books[order[1]].kinds["memory"].reserved = 4 * GI, GI
    assert same(one, other)
    assert not same(one, ledger(4, 4))
    assert not same(ledger(4, 4), ledger(4, 4, kept=1))
    assert not same(ledger(4, 4), ledger(4))
    assert not same(ledger(4, pages={2**21: 0}), ledger(4))
    assert not same(ledger(4, 4), ledger(4, 5))
