"""One file a plugin: what may keep a pod off a node, and what makes one node better than another."""
