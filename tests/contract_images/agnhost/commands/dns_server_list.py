"""The name servers of the resolver, with commas between."""

from collections.abc import Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.resolver import values


def run(arguments: Sequence[str]) -> int:
    """Print them."""
    Flags(arguments, {})
    print(",".join(values("nameserver")))
    return 0
