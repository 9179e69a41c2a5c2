"""The bench: the API against a bare reference that executes the same statements, in one run (`make bench`)."""
