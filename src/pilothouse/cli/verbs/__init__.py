"""The verbs, a module each, named as the verb: `run` is the command, or `APP` holds commands below it."""
