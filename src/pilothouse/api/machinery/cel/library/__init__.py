"""Functions of the language and of Kubernetes' libraries, a file a library: a table of overloads and what they do."""
