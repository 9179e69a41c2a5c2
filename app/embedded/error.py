"""What can go wrong with the embedded server, said to the operator."""

from app.settings import SetupError


class EmbeddedError(SetupError):
    """The embedded PostgreSQL cannot be used; the text says why and what to do."""
