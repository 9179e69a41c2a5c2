"""The demo quarter and load data: invented, seeded, the same every time."""
