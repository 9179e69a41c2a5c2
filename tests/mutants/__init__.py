"""Wrong walls: every policy, branch and permission disabled in turn, and a test must notice each one."""
