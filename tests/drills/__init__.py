"""Faults on purpose, on real processes: what was acknowledged is kept, what was refused was refused clearly."""
