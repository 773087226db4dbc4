"""Plugins: programs of others on the node, which say on a socket what they can do. KEP-595."""
