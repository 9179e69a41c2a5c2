"""Reading a register that came as a file (CSV or XLSX): its header, and its rows in chunks.

Nothing here knows the database. What is wrong with the file as a whole is a 422 here; what is wrong with one cell is
told row by row later (`app.registers.rows`).
"""

from app.registers.columns import FIELDS
from app.registers.reading import MOST_ROWS, REASON, Chunk, Register, read_register
from app.registers.rows import RowErrors, RowRead, column_of, read_rows

__all__ = [
    "FIELDS",
    "MOST_ROWS",
    "REASON",
    "Chunk",
    "Register",
    "RowErrors",
    "RowRead",
    "column_of",
    "read_register",
    "read_rows",
]
