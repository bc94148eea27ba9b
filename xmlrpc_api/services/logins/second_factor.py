"""The second factor of a web user: codes of an authenticator (RFC 6238), and recovery codes that replace one."""

import hmac
import secrets

import pyotp
from sqlalchemy import delete, insert, or_, select, update

from models import RecoveryCode, WebUser, purpose_of
from xmlrpc_api.call import Call
from xmlrpc_api.services import records

RECOVERY_CODES = 10
RECOVERY_GROUPS, RECOVERY_GROUP_LENGTH = 4, 4
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike
PURPOSE = purpose_of(RecoveryCode.code)
DRIFT_STEPS = 1


def new_seed() -> str:
    """A new seed, in base32."""
    return pyotp.random_base32()


def uri(call: Call, user: WebUser, seed: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(seed).provisioning_uri(name=user.web_login, issuer_name=call.platform.config.realm)


async def accept(call: Call, user: WebUser, code: str) -> bool:
    """Whether a code is right. A right one is used up, whether it came from an authenticator or from the list."""
    code = code.strip()
    return await _accept_totp(call, user, code) if code.isdecimal() else await _accept_recovery(call, user, code)


async def _accept_totp(call: Call, user: WebUser, code: str) -> bool:
    """A code of this time step or of a neighbour, if neither it nor a later one was used."""
    seed = records.unsealed(call, user, "totp_seed")
    if seed is None:
        return False
    totp = pyotp.TOTP(seed)
    now = int(call.now.timestamp()) // totp.interval
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())]
    if not right:
        return False
    used = (
        update(WebUser)
        .where(
            WebUser.i_web_user == user.i_web_user,
            WebUser.totp_seed == user.totp_seed,
            or_(WebUser.totp_step.is_(None), WebUser.totp_step < right[0]),
        )
        .values(totp_step=right[0])
        .returning(WebUser.i_web_user)
        .execution_options(synchronize_session=False)
    )
    return (await call.session.execute(used)).first() is not None


async def _accept_recovery(call: Call, user: WebUser, code: str) -> bool:
    if not user.second_factor:
        return False
    vault = call.platform.vault
    plain = _content(user.i_web_user, code)
    codes = select(RecoveryCode.code).where(RecoveryCode.i_web_user == user.i_web_user)
    for known in (await call.session.execute(codes)).scalars().all():
        if vault.signed(PURPOSE, plain, known):
            used = delete(RecoveryCode).where(RecoveryCode.i_web_user == user.i_web_user, RecoveryCode.code == known)
            return (await call.session.execute(used.returning(RecoveryCode.code))).first() is not None
    return False


async def new_recovery_codes(call: Call, user: WebUser) -> list[str]:
    """Codes to print, each good for one login; older ones end."""
    await forget_recovery_codes(call, user)
    codes = ["-".join(_group() for _ in range(RECOVERY_GROUPS)) for _ in range(RECOVERY_CODES)]
    vault = call.platform.vault
    rows = [
        {"i_web_user": user.i_web_user, "code": vault.sign(PURPOSE, _content(user.i_web_user, code))} for code in codes
    ]
    await call.session.execute(insert(RecoveryCode), rows)
    return codes


async def forget_recovery_codes(call: Call, user: WebUser) -> None:
    """End all recovery codes of a web user."""
    await call.session.execute(delete(RecoveryCode).where(RecoveryCode.i_web_user == user.i_web_user))


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_GROUP_LENGTH))


def _content(i_web_user: int, code: str) -> bytes:
    """What is signed of a code: without dashes and case, as people type it."""
    return f"{i_web_user}:{code.replace('-', '').lower()}".encode()
