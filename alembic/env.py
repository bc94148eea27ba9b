"""Runs the migrations on the connection the caller hands over, or on the configured database."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection

from models import Base
from xmlrpc_api.config import load
from xmlrpc_api.database import Database


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_configured_database() -> None:
    database = Database(load())
    try:
        await database.run(migrate)
    finally:
        await database.close()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    asyncio.run(migrate_configured_database())
