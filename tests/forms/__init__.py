"""The forms of the quarterly report, on reports written down here."""
