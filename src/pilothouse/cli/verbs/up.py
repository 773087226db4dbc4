"""`pilothouse up`: start a cluster on this machine, or find it again, and wait until it is Ready."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cli.progress import steps
from pilothouse.cluster.apiserver_flags import apiserver_flags
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.up import Wishes, up
from pilothouse.runtime.clock import SystemClock

_PORTS = 65535


def run(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(help="Where the API server listens. [default: 6443]", min=1, max=_PORTS)
    ] = None,
    no_node: Annotated[
        bool, typer.Option("--no-node", help="A control plane alone: needs neither root nor containerd.")
    ] = False,
    simulated_nodes: Annotated[
        int | None, typer.Option(metavar="N", help="Nodes without a runtime: pods live without containers.", min=0)
    ] = None,
    nodes: Annotated[int, typer.Option(metavar="N", help="Nodes on this machine.", min=0)] = 1,
    apiserver_flag: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A flag of upstream's kube-apiserver; may be given again."),
    ] = None,
) -> None:
    """Start a cluster and wait until it is Ready."""
    if nodes > 1:
        raise ClusterError("more than one node on a machine is not there yet: use --nodes 1, or --simulated-nodes N")
    place, clock, console = home_of(home), SystemClock(), Console(stderr=True)
    without = no_node or nodes == 0 or bool(simulated_nodes)
    wishes = Wishes(
        port=port, node=False if without else None, simulated_nodes=simulated_nodes,
        apiserver_flags=None if apiserver_flag is None else apiserver_flags(apiserver_flag),
    )  # fmt: skip
    begin = clock.monotonic()
    asyncio.run(up(place, wishes, clock, steps(console, clock)))
    console.print(f"The cluster is Ready after {clock.monotonic() - begin:.1f} s. To use it:", highlight=False)
    print(f"export KUBECONFIG={place.admin}")
