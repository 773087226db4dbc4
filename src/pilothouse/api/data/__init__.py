"""Tables that the machinery reads."""
