"""`pilothouse status`: processes, nodes, certificates, and where things lie."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cluster.status import ClusterStatus, status
from pilothouse.runtime.clock import SystemClock


class Form(StrEnum):
    """How to show it."""

    TEXT = "text"
    JSON = "json"


def run(
    home: HomeOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to show it.")] = Form.TEXT,
) -> None:
    """Show the cluster's processes, nodes and certificates."""
    found = asyncio.run(status(home_of(home), SystemClock()))
    if output is Form.JSON:
        print(orjson.dumps(found.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found, Console())


def _show(found: ClusterStatus, console: Console) -> None:
    console.print(f"Cluster {found.cluster} in {found.home}, {found.server}", highlight=False, soft_wrap=True)
    processes = _table("ROLE", "PID", "UID", "STATE", "MEMORY")
    for each in found.processes:
        state = "ready" if each.ready else "starting" if each.pid else "[red]down[/]"
        memory = f"{each.memory / 2**20:.0f} MiB" if each.pid else ""
        processes.add_row(each.role, str(each.pid or ""), str(each.uid) if each.pid else "", state, memory)
    console.print(processes)
    nodes = _table("NODE", "STATE")
    for node in found.nodes:
        nodes.add_row(node.name, "Ready" if node.ready else f"[red]{node.reason or 'not Ready'}[/]")
    console.print(nodes)
    first, moment = min(found.certificates.items(), key=lambda entry: entry[1])
    console.print(f"Certificates are good until {datetime.fromtimestamp(moment, UTC):%Y-%m-%d} ({first} ends first)")
    for name, place in {**found.places, "kubeconfig": found.kubeconfig}.items():
        console.print(f"  {name:<12}{place}", highlight=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    return table
