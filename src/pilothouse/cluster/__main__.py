"""`python -m pilothouse.cluster HOME`: the supervisor of the cluster in HOME."""

import sys

from pilothouse.cluster.supervisor import main

main(sys.argv[1:])
