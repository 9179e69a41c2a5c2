"""What the quarterly report counts: `published`, `programme` and `cases` hold the definitions, `sources` the rows."""
