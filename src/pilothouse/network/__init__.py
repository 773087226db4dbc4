"""The pod network of a node: a bridge, its addresses, and the rules around it."""
