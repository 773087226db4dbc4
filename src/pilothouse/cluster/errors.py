"""What the user of a cluster is told when it cannot be done."""


class ClusterError(Exception):
    """One sentence that says what is wrong and what to do about it."""
