"""`python -m pilothouse.cli`: the command, where it is not installed on PATH."""

from pilothouse.cli.main import main

main()
