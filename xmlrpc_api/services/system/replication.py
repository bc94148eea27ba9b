"""How the database is copied to others, as PostgreSQL itself tells. SQLite is copied nowhere, and that is said."""

from sqlalchemy import text

from xmlrpc_api.call import Call
from xmlrpc_api.services.system.live_settings import demand_root
from xmlrpc_api.storage.rows import Row

NOT_REPLICATED, PRIMARY, STANDBY = "not replicated", "primary", "standby"
_IS_STANDBY = text("SELECT pg_is_in_recovery()")
_REPLICAS = text(
    "SELECT coalesce(application_name, '') AS name, coalesce(host(client_addr), '') AS address,"
    " coalesce(state, '') AS state, coalesce(sync_state, '') AS sync_state,"
    " extract(epoch FROM replay_lag)::float8 AS lag,"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 AS bytes_behind"
    " FROM pg_stat_replication ORDER BY application_name, client_addr, pid LIMIT 1000"
)
_SOURCE = text(
    "SELECT coalesce(slot_name, '') AS name, coalesce(sender_host, '') AS address, coalesce(status, '') AS state,"
    " '' AS sync_state FROM pg_stat_wal_receiver"
)
_BEHIND = text(
    "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
    " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8 AS lag,"
    " pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8 AS bytes_behind"
)


async def status(call: Call) -> Row:
    """
    What this database is to others, and who they are.

    Raises:
        NotPermitted: The caller is not root.
    """
    demand_root(call)
    if call.session.get_bind().dialect.name != "postgresql":
        return {"status": NOT_REPLICATED, "replicas": []}
    if (await call.session.execute(_IS_STANDBY)).scalar_one():
        behind = (await call.session.execute(_BEHIND)).mappings().one()
        sources = (await call.session.execute(_SOURCE)).mappings().all()
        return {"status": STANDBY, "replicas": [{**source, **behind} for source in sources]}
    replicas = [dict(row) for row in (await call.session.execute(_REPLICAS)).mappings().all()]
    return {"status": PRIMARY if replicas else NOT_REPLICATED, "replicas": replicas}


async def lag(call: Call) -> Row:
    """
    How far the slowest copy is behind, in seconds; nil: there is none, or it has not told.

    Raises:
        NotPermitted: The caller is not root.
    """
    told = await status(call)
    known = [replica["lag"] for replica in told["replicas"] if replica["lag"] is not None]
    return {"status": told["status"], "lag": max(known, default=None)}
