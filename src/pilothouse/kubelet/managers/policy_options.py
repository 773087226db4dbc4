"""What may be asked of the policies for processors and for nearness, at the stages that v1.37 has it: pure.

Options of a stage are behind a gate of it. Sources: policy_options.go in pkg/kubelet/cm/cpumanager, topologymanager;
API pages: "Control CPU Management Policies on the Node", "Control Topology Management Policies on a node".
"""

from collections.abc import Mapping

FULL_CORES = "full-pcpus-only"
STRICT_RESERVATION = "strict-cpu-reservation"
BY_CACHE = "prefer-align-cpus-by-uncorecache"
ACROSS_NODES = "distribute-cpus-across-numa"
BY_SOCKET = "align-by-socket"
ACROSS_CORES = "distribute-cpus-across-cores"
CLOSEST = "prefer-closest-numa-nodes"
MOST_NODES = "max-allowable-numa-nodes"
DEFAULT_MOST = 8
"""NUMA nodes; with more it takes long to try all sets of them."""
_ALPHA, _BETA, _STABLE = (BY_SOCKET, ACROSS_CORES), (ACROSS_NODES,), (FULL_CORES, STRICT_RESERVATION, BY_CACHE)
_APART = (
    (FULL_CORES, ACROSS_CORES), (ACROSS_NODES, ACROSS_CORES), (BY_CACHE, ACROSS_CORES), (BY_CACHE, ACROSS_NODES),
)  # fmt: skip
"""No two of these together."""
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def is_on(options: Mapping[str, str], option: str) -> bool:
    """Whether an option is set."""
    return options.get(option) in _TRUE


def check_cpu_options(options: Mapping[str, str], *, alpha: bool, beta: bool) -> None:
    """Those of the static policy. Raises ValueError."""
    for name, value in options.items():
        if name not in (*_ALPHA, *_BETA, *_STABLE):
            raise ValueError(f'unknown CPU Manager Policy option: "{name}"')
        for stage, of_stage, enabled in (("Alpha", _ALPHA, alpha), ("Beta", _BETA, beta)):
            if name in of_stage and not enabled:
                raise ValueError(f'CPU Manager Policy {stage}-level Options not enabled, but option "{name}" provided')
        _check_bool(name, value)
    for one, other in _APART:
        if is_on(options, one) and is_on(options, other):
            raise ValueError(f"static policy options {one} and {other} can not be used at the same time")


def check_topology_options(options: Mapping[str, str]) -> None:
    """Those of any policy but `none`. Raises ValueError."""
    for name, value in options.items():
        if name not in (CLOSEST, MOST_NODES):
            raise ValueError(f'unknown Topology Manager Policy option: "{name}"')
        if name == CLOSEST:
            _check_bool(name, value)
            continue
        try:
            most = int(value)
        except ValueError:
            raise ValueError(
                f'unable to convert policy option to integer "{name}": strconv.Atoi: parsing "{value}": invalid syntax'
            ) from None
        if most < DEFAULT_MOST:
            raise ValueError(f'the minimum value of "{name}" should not be less than {DEFAULT_MOST}')


def _check_bool(name: str, value: str) -> None:
    if value not in (*_TRUE, *_FALSE):
        raise ValueError(f'bad value for option "{name}": strconv.ParseBool: parsing "{value}": invalid syntax')
