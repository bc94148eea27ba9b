"""`reset-root` and `rotate-key`: a new password for root, a new key for everybody's."""

from typing import Annotated

import typer


def reset_root(
    context: typer.Context,
    web_password: Annotated[
        bool, typer.Option("--web-password", help="Also make a new password to the self-care portal.")
    ] = False,
) -> None:
    """
    Give root a new API password, which is printed once; the old one ends at once.

    The server may run meanwhile. The change history notes it. Nothing else of root changes, blocks included.
    """
    from xmlrpc_api.cli import keys

    keys.reset_root(context, web_password=web_password)


def rotate_key(
    context: typer.Context,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only make the new key known, for servers on several machines: copy the file."),
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="Take the old keys away, but for what proves their signatures.")
    ] = False,
) -> None:
    """
    Encrypt everything with a new key, batch by batch while servers serve; interrupted, it goes on when run again.

    Servers on this machine take the new key up within seconds, and log "key taken up". When all have, run
    it with --retire: then the old key decrypts nothing any more, and what is left of it in the key file
    proves what it signed: the history for ever, vouchers, recovery codes and the like until they are used
    up (--retire can be run again to drop those). Servers on several machines: --prepare, copy the key
    file to all, rotate-key, copy it again, rotate-key --retire, copy it once more. Backups need the key
    that was in use when they were made: keep it where they are.
    """
    from xmlrpc_api.cli import keys

    keys.rotate_key(context, prepare=prepare, retire=retire)
