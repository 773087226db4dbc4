from pilothouse.runtime.bounded_memo import BoundedMemo


def test_it_forgets_everything_when_it_is_full() -> None:
    memo: BoundedMemo[int, str] = BoundedMemo(3)
    for number in range(3):
        assert memo.keep(number, str(number)) == str(number)
    assert memo.get(0) == "0"
    memo.keep(3, "3")
    assert memo == {3: "3"}
    for number in range(10_000):
        memo.keep(number, "")
        assert len(memo) <= 3
