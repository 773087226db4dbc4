"""The command line: `pilothouse VERB`. Each verb is a file in `verbs/`."""
