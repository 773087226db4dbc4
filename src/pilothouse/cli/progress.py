"""Progress: what is being done, and for how long, a line each; plain lines where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from pilothouse.cluster.step import Step
from pilothouse.runtime.clock import Clock


def steps(console: Console, clock: Clock) -> Step:
    """A way to show steps on `console`."""

    @contextmanager
    def step(text: str) -> Iterator[None]:
        begin = clock.monotonic()
        with console.status(text):
            yield
        console.print(f"[green]✓[/] {text} [dim]{clock.monotonic() - begin:.1f} s[/]", highlight=False)

    return step
