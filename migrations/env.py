"""Alembic's entry: the tables of app.models, on the connection given by app.schema or on the owner's own."""

import sqlalchemy as sa
from alembic import context
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlmodel import SQLModel

import app.models  # noqa: F401 registers every table
from app.database_urls import DatabaseUrls, sqlalchemy_url
from app.models.base import TransactionId
from app.settings import settings

# So that autogenerate knows the type of events.xid when it reads the database.
ischema_names["xid8"] = TransactionId

NOT_OURS = {"alembic_version", "schema_sql"}


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether autogenerate looks at a thing: not at what app.schema itself keeps."""
    return not (kind == "table" and name in NOT_OURS)


def migrate(connection: sa.Connection) -> None:
    """Run what Alembic was asked for on one connection."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_object=include_object,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: sa.Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = sa.create_engine(sqlalchemy_url(DatabaseUrls.from_settings(settings()).owner))
    with engine.connect() as connection:
        migrate(connection)
