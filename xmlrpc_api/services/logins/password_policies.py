"""What a new password must be like: the policy of the customer it is for."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Integer, bindparam, select

from models import PasswordPolicy, login_key
from xmlrpc_api.call import Call
from xmlrpc_api.crypto.passwords import Password, score
from xmlrpc_api.declaration.faults import BadParameter, WrongReference
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row
from xmlrpc_api.storage.together import Asked

ENGLISH = "en"
_POLICY = Query(
    select(*PasswordPolicy.__table__.columns).where(
        PasswordPolicy.i_password_policy == bindparam("i_password_policy", type_=Integer)
    )
)
# Why a password is refused, in the languages of the portals that ask (validatePassword, lang).
REASONS = {
    "length": {
        "en": "must have at least {n} characters",
        "de": "muss mindestens {n} Zeichen haben",
        "es": "debe tener al menos {n} caracteres",
        "fr": "doit comporter au moins {n} caractères",
        "pt": "deve ter pelo menos {n} caracteres",
        "ru": "должен содержать не менее {n} символов",
    },
    "lower": {
        "en": "must have a lower case letter",
        "de": "muss einen Kleinbuchstaben enthalten",
        "es": "debe contener una letra minúscula",
        "fr": "doit comporter une lettre minuscule",
        "pt": "deve conter uma letra minúscula",
        "ru": "должен содержать строчную букву",
    },
    "upper": {
        "en": "must have an upper case letter",
        "de": "muss einen Großbuchstaben enthalten",
        "es": "debe contener una letra mayúscula",
        "fr": "doit comporter une lettre majuscule",
        "pt": "deve conter uma letra maiúscula",
        "ru": "должен содержать заглавную букву",
    },
    "digit": {
        "en": "must have a digit",
        "de": "muss eine Ziffer enthalten",
        "es": "debe contener una cifra",
        "fr": "doit comporter un chiffre",
        "pt": "deve conter um algarismo",
        "ru": "должен содержать цифру",
    },
    "symbol": {
        "en": "must have a character that is neither a letter nor a digit",
        "de": "muss ein Zeichen enthalten, das weder Buchstabe noch Ziffer ist",
        "es": "debe contener un carácter que no sea letra ni cifra",
        "fr": "doit comporter un caractère qui ne soit ni une lettre ni un chiffre",
        "pt": "deve conter um carácter que não seja letra nem algarismo",
        "ru": "должен содержать символ, который не является буквой или цифрой",
    },
    "login": {
        "en": "must not be the login",
        "de": "darf nicht der Benutzername sein",
        "es": "no debe ser igual al nombre de usuario",
        "fr": "ne doit pas être l'identifiant",
        "pt": "não deve ser igual ao nome de utilizador",
        "ru": "не должен совпадать с именем пользователя",
    },
    "score": {
        "en": "is too easy to guess",
        "de": "ist zu leicht zu erraten",
        "es": "es demasiado fácil de adivinar",
        "fr": "est trop facile à deviner",
        "pt": "é demasiado fácil de adivinhar",
        "ru": "слишком легко угадать",
    },
}


async def demand_new(
    call: Call, i_password_policy: int, names: Iterable[str], values: Mapping[str, object], web_login: str
) -> None:
    """
    Refuse those new passwords among `values`, in the order of `names`, that the policy does not allow.

    Raises:
        BadParameter, WrongReference: As `demand`.
    """
    if any(values.get(name) is not None for name in names):
        query, wanted = asking(i_password_policy)
        found = await call.store.rows(query, **wanted)
        await demand_by(found[0] if found else None, names, values, web_login)


def asking(i_password_policy: int) -> Asked:
    """What to ask for a policy, for `demand_by`."""
    return _POLICY, {"i_password_policy": i_password_policy}


async def demand_by(found: Row | None, names: Iterable[str], values: Mapping[str, object], web_login: str) -> None:
    """What `demand_new` does, by the policy that was found."""
    for name in names:
        value = values.get(name)
        if value is not None:
            plain = value.plain if isinstance(value, Password) else str(value)
            await _judge(found, name, plain, web_login=web_login)


async def demand(
    call: Call,
    i_password_policy: int,
    name: str,
    password: str,
    *,
    web_login: str | None = None,
    language: str = ENGLISH,
    label: str | None = None,
) -> None:
    """
    Refuse a password that the policy does not allow.

    Args:
        call: The call.
        i_password_policy: Id of the policy.
        name: The parameter that the password came in.
        password: As it was sent.
        web_login: The login it is for, which it may have to differ from.
        language: In which the reason is told, where it is known; English otherwise.
        label: What the reason calls the password; `Parameter` and its name if left out.

    Raises:
        BadParameter: It is not allowed; the text tells why.
        WrongReference: There is no such policy.
    """
    query, wanted = asking(i_password_policy)
    found = await call.store.rows(query, **wanted)
    await _judge(found[0] if found else None, name, password, web_login=web_login, language=language, label=label)


async def _judge(
    found: Row | None,
    name: str,
    password: str,
    *,
    web_login: str | None = None,
    language: str = ENGLISH,
    label: str | None = None,
) -> None:
    if found is None:
        raise WrongReference("i_password_policy")
    policy = PasswordPolicy(**found)
    broken = next(_broken(policy, password, web_login), None)
    if broken is None and policy.minimum_score:
        broken = "score" if await asyncio.to_thread(score, password) < policy.minimum_score else None
    if broken is not None:
        texts = REASONS[broken]
        raise BadParameter(name, texts.get(language, texts[ENGLISH]).format(n=policy.minimum_length), label)


def _broken(policy: PasswordPolicy, password: str, web_login: str | None) -> Iterator[str]:
    """Rules that the password breaks, as keys of `REASONS`."""
    if len(password) < policy.minimum_length:
        yield "length"
    if policy.needs_lower and not any(character.islower() for character in password):
        yield "lower"
    if policy.needs_upper and not any(character.isupper() for character in password):
        yield "upper"
    if policy.needs_digit and not any(character.isdigit() for character in password):
        yield "digit"
    if policy.needs_symbol and all(character.isalnum() for character in password):
        yield "symbol"
    if policy.differs_from_login and web_login is not None and login_key(password) == login_key(web_login):
        yield "login"
