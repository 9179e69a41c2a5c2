"""Wrong walls: every policy, branch and permission disabled in turn, which a test must notice (`make mutants`)."""
