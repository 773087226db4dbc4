"""What can be done with objects: a verb a file. Each takes an Exchange and a Resource and gives a Response."""
