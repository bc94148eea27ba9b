"""
Starts one of them: `python -m benchmarks.peers NAME PORT …`.

stdlib FILE             xmlrpc.server, threads, HTTP/1.1; answers from memory
aiohttp-xmlrpc FILE     the library as it is; answers from memory
constant FILE           aiohttp and uvloop, one answer that was written before: what a Python server cannot pass
obvious URL database    what one builds from the library and an ORM: Digest, rights, rows and answers from the database
obvious URL memory      the same, but for logins, which it keeps for a minute
prototype URL           asyncpg and a template, logins from memory: what was measured before this server was written
spyne URL               spyne, an ORM, and the credentials of NGNPro's header
"""

import sys
from collections.abc import Callable

from benchmarks.peers import memory, obvious, prototype


def _spyne(port: int, url: str) -> None:
    from benchmarks.peers import spyne_orm  # it is installed for the benchmark alone, see requirements.lock

    spyne_orm.serve(port, url)


PEERS: dict[str, Callable[..., None]] = {
    "stdlib": memory.stdlib,
    "aiohttp-xmlrpc": memory.library,
    "constant": memory.constant,
    "obvious": obvious.serve,
    "prototype": prototype.serve,
    "spyne": _spyne,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
