"""Step: how a command shows what it is doing while it does it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

Step = Callable[[str], AbstractContextManager[None]]
"""Entered with a step's name; left when it is done, or failed."""
