"""The HTML report in a real browser: what `make browser` looks at."""
