"""Volume types, one a file: each makes a volume's content on the node, again and again without harm."""
