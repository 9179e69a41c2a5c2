"""How the files of a release lie in the database: the worker cuts them up, and the API sends them part by part."""

CHUNK = 256 * 1024  # bytes of one part; the last may be shorter
