"""`pilothouse kubeconfig`: the administrator's kubeconfig on standard output."""

from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cluster.kubeconfig import render
from pilothouse.cluster.settings import Settings


def run(home: HomeOption = None) -> None:
    """Print the administrator's kubeconfig."""
    place = home_of(home)
    print(render(place, Settings.load(place)), end="")
