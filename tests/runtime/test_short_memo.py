"""What is short is remembered, what is long is computed again."""

from pilothouse.runtime.short_memo import LONGEST, short_memo


def test_only_short_questions_are_remembered() -> None:
    asked: list[str] = []

    @short_memo(2)
    def length(text: str, more: int = 0) -> int:
        asked.append(text)
        return len(text) + more

    assert [length("a"), length("a"), length("a", 1), length("a", 1)] == [1, 1, 2, 2]
    assert asked == ["a", "a"]
    long = "b" * (LONGEST + 1)
    assert [length(long), length(long)] == [LONGEST + 1] * 2
    assert asked[2:] == [long, long]
