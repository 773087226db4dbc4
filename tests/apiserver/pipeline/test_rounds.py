from pilothouse.apiserver.pipeline.rounds import Previous, Rounds


def test_who_ran_before_a_change_runs_again() -> None:
    previous = Previous()
    previous.ran("a")
    previous.change()
    previous.ran("b")
    assert [previous.shall_run(name) for name in ("a", "b", "c")] == [True, False, False]


def test_what_others_changed_is_seen() -> None:
    previous = Previous()
    previous.leave({"a": 1, "b": 2})
    assert not previous.has_changed({"b": 2, "a": 1})
    assert previous.has_changed({"a": 1})
    previous.leave(None)
    assert not previous.has_changed(None)


def test_each_plugin_remembers_for_itself() -> None:
    rounds = Rounds()
    rounds.of("one").ran("a")
    rounds.of("one").change()
    assert rounds.of("one").shall_run("a")
    assert not rounds.of("two").shall_run("a")
