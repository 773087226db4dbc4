import pytest

from pilothouse.scheduler.taints import Taint, Toleration, repelled, tolerates, unwanted

HARD = Taint("k", "v", "NoSchedule")
SOFT = Taint("k", "v", "PreferNoSchedule")


@pytest.mark.parametrize(
    ("toleration", "matches"),
    [
        (("k", "Equal", "v", "NoSchedule"), True),
        (("k", "Equal", "v", ""), True),
        (("k", "Equal", "other", ""), False),
        (("k", "Exists", "", ""), True),
        (("", "Exists", "", ""), True),
        (("other", "Exists", "", ""), False),
        (("k", "Equal", "v", "NoExecute"), False),
        (("k", "Unknown", "v", ""), False),
    ],
)
def test_which_taints_a_toleration_matches(toleration: tuple[str, str, str, str], matches: bool) -> None:
    assert tolerates([Toleration(*toleration)], HARD) is matches


@pytest.mark.parametrize(
    ("taints", "hard", "soft"),
    [([], False, 0), ([HARD], True, 0), ([SOFT], False, 1), ([SOFT, Taint("x", "", "PreferNoSchedule"), HARD], True, 2),
     ([Taint("k", "", "NoExecute")], True, 0)],
)  # fmt: skip
def test_what_taints_do_to_a_pod_that_tolerates_nothing(taints: list[Taint], hard: bool, soft: int) -> None:
    assert repelled([], taints) is hard
    assert unwanted([], taints) == soft


def test_a_toleration_of_another_effect_does_not_make_a_node_wanted() -> None:
    assert unwanted([Toleration("k", "Exists", "", "NoSchedule")], [SOFT]) == 1
    assert unwanted([Toleration("k", "Exists", "", "PreferNoSchedule")], [SOFT]) == 0
