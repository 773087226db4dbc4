"""What API objects are: kinds, their rules, and the machinery that reads and changes them. Pure: no I/O, no time."""
