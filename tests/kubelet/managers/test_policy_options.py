"""Which options there are, at which stage. Messages: policy_options.go of the CPU manager and the topology manager."""

import pytest

from pilothouse.kubelet.managers.policy_options import (
    ACROSS_CORES,
    ACROSS_NODES,
    BY_CACHE,
    BY_SOCKET,
    CLOSEST,
    FULL_CORES,
    MOST_NODES,
    STRICT_RESERVATION,
    check_cpu_options,
    check_topology_options,
    is_on,
)

EVERY = (FULL_CORES, STRICT_RESERVATION, BY_CACHE, ACROSS_NODES, BY_SOCKET, ACROSS_CORES)


@pytest.mark.parametrize(("alpha", "beta", "missing"), [
    (True, True, ()),
    (False, True, (BY_SOCKET, ACROSS_CORES)),
    (True, False, (ACROSS_NODES,)),
])  # fmt: skip
def test_options_of_a_stage_have_a_gate(missing: tuple[str, ...], *, alpha: bool, beta: bool) -> None:
    """strict-cpu-reservation is stable since v1.35, prefer-align-cpus-by-uncorecache since v1.36."""
    for option in EVERY:
        if option not in missing:
            check_cpu_options({option: "true"}, alpha=alpha, beta=beta)
            continue
        stage = "Beta" if option == ACROSS_NODES else "Alpha"
        message = f'^CPU Manager Policy {stage}-level Options not enabled, but option "{option}" provided$'
        with pytest.raises(ValueError, match=message):
            check_cpu_options({option: "false"}, alpha=alpha, beta=beta)


@pytest.mark.parametrize(("value", "on"), [
    ("true", True), ("T", True), ("1", True), ("FALSE", False), ("0", False), ("f", False),
])  # fmt: skip
def test_truth_is_written_as_in_go(value: str, *, on: bool) -> None:
    check_cpu_options({FULL_CORES: value}, alpha=False, beta=False)
    check_topology_options({CLOSEST: value})
    assert is_on({FULL_CORES: value}, FULL_CORES) is on
    assert not is_on({}, FULL_CORES)


@pytest.mark.parametrize(("one", "other"), [
    (FULL_CORES, ACROSS_CORES), (ACROSS_NODES, ACROSS_CORES), (BY_CACHE, ACROSS_CORES), (BY_CACHE, ACROSS_NODES),
])  # fmt: skip
def test_some_do_not_go_together(one: str, other: str) -> None:
    message = f"^static policy options {one} and {other} can not be used at the same time$"
    with pytest.raises(ValueError, match=message):
        check_cpu_options({other: "true", one: "true"}, alpha=True, beta=True)
    check_cpu_options({other: "false", one: "true"}, alpha=True, beta=True)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match=r'^unknown CPU Manager Policy option: "x"$'):
        check_cpu_options({"x": "true"}, alpha=True, beta=True)
    message = rf'^bad value for option "{FULL_CORES}": strconv.ParseBool: parsing "yes": invalid syntax$'
    with pytest.raises(ValueError, match=message):
        check_cpu_options({FULL_CORES: "yes"}, alpha=True, beta=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": "1"}, 'unknown Topology Manager Policy option: "x"'),
        ({CLOSEST: "2"}, f'bad value for option "{CLOSEST}": strconv.ParseBool: parsing "2": invalid syntax'),
        ({MOST_NODES: "7"}, f'the minimum value of "{MOST_NODES}" should not be less than 8'),
        (
            {MOST_NODES: "x"},
            f'unable to convert policy option to integer "{MOST_NODES}": strconv.Atoi: parsing "x": invalid syntax',
        ),
        ({MOST_NODES: "8", CLOSEST: "true"}, ""),
    ],
)
def test_options_of_nearness(options: dict[str, str], message: str) -> None:
    """Both are stable."""
    if not message:
        check_topology_options(options)
        return
    with pytest.raises(ValueError, match=r"option|minimum") as refused:
        check_topology_options(options)
    assert str(refused.value) == message
