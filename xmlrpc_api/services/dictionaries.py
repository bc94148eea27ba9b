"""Dictionaries: the ids and labels behind parameters such as i_time_zone."""

from sqlalchemy import select

from models import (
    AccessLevel,
    Currency,
    DictionaryEntry,
    ExportType,
    IvrApplication,
    Language,
    PasswordPolicy,
    PaymentMethod,
    TimeZone,
)
from xmlrpc_api.call import Call
from xmlrpc_api.declaration.entity import Statement
from xmlrpc_api.declaration.faults import BadParameter

TABLES: dict[str, Statement] = {
    "access_levels": select(AccessLevel.i_access_level, AccessLevel.name),
    "currencies": select(Currency.code, Currency.name),
    "export_types": select(ExportType.i_export_type, ExportType.name),
    "ivr_applications": select(IvrApplication.i_ivr_application, IvrApplication.name),
    "languages": select(Language.i_lang, Language.name),
    "password_policies": select(PasswordPolicy.i_password_policy, PasswordPolicy.name),
    "payment_methods": select(PaymentMethod.i_payment_method, PaymentMethod.name),
    "timezones": select(TimeZone.i_time_zone, TimeZone.name),
}
LANGUAGE_TYPES = {"web": Language.web, "ivr": Language.ivr}


async def read(call: Call, name: str, kind: str | None) -> dict[str, str]:
    """
    All entries of a dictionary, label by id.

    Raises:
        BadParameter: There is no such dictionary, or no such type of it.
    """
    others = select(DictionaryEntry.id, DictionaryEntry.label).where(DictionaryEntry.dictionary == name)
    statement: Statement = TABLES.get(name, others)
    if name == "languages" and kind is not None:
        if kind not in LANGUAGE_TYPES:
            raise BadParameter("type", "must be web or ivr")
        statement = statement.where(LANGUAGE_TYPES[kind])
    rows = (await call.session.execute(statement.order_by(statement.selected_columns[0]))).all()
    if not rows:
        known = (await call.session.execute(select(DictionaryEntry.dictionary).distinct())).scalars()
        raise BadParameter("name", f"must be one of {', '.join(sorted([*TABLES, *known]))}")
    return {str(key): label for key, label in rows}
