"""
Rows of the reference tables.

Currencies and languages come from the ISO data of pycountry, time zones from tzdata. The zones that
live switches number are listed with their numbers in data/time_zones.csv, since clients have these
numbers built in; all further zones are numbered from 1001 on, by name.
"""

import csv
from importlib import resources
from pathlib import Path

import pycountry
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBERED_ZONES = Path(__file__).parent.parent / "data" / "time_zones.csv"
FIRST_OWN_ZONE = 1001
PORTAL_LANGUAGES = {"ar", "en", "es", "fa", "fr", "pt", "ru", "tr", "zh"}

DICTIONARIES = {
    "card_types": {
        1: "Visa",
        2: "American Express",
        3: "MasterCard",
        4: "Discover",
        5: "JCB",
        6: "Diner's Club",
    },
    "ca_list_types": {1: "Trusted CAs", 2: "Client CAs"},
    "forward_did_modes": {
        1: "Forward the DID",
        2: "Forward the incoming DID",
        3: "Forward the trunk's number",
    },
    "media_relay_types": {0: "Default", 1: "Off", 2: "On"},
    "media_relays": {1: "Default"},
    "privacy_modes": {1: "Pass through", 2: "Hide the caller", 3: "Hide from untrusted peers"},
    "proto_transports": {1: "UDP", 2: "TCP", 3: "TLS"},
    "protocols": {1: "SIP", 2: "H.323", 3: "IAX2", 4: "Calling Card PIN"},
    "qmon_actions": {
        "none": "Nothing",
        "block": "Block the connection",
        "make_last_in_routing": "Make the connection last in routing",
    },
    "ssl_certificate_types": {1: "Uploaded", 2: "Self-signed"},
    "ssl_use_domain_types": {1: "Web", 2: "SIP"},
    "start_pages": {1: "My CDRs", 3: "Call Records (CDRs)", 4: "My Preferences"},
    "tariff_types": {1: "Tariff", 2: "Incoming Tariff"},
    "trunk_policies": {"order": "In order", "weight": "By weight"},
    "upload_types": {1: "Rates", 2: "Routes"},
}


def time_zones() -> list[dict[str, object]]:
    with NUMBERED_ZONES.open(encoding="utf-8") as file:
        numbered = {row["name"]: int(row["i_time_zone"]) for row in csv.DictReader(file)}
    known = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    others = sorted(set(known) - set(numbered) - {"Factory"})
    numbered.update(zip(others, range(FIRST_OWN_ZONE, FIRST_OWN_ZONE + len(others)), strict=True))
    return [{"i_time_zone": number, "name": name} for name, number in numbered.items()]


def languages() -> list[dict[str, object]]:
    return [
        {
            "i_lang": language.alpha_2,
            "name": language.name[:64],
            "web": language.alpha_2 in PORTAL_LANGUAGES,
            "ivr": language.alpha_2 in PORTAL_LANGUAGES,
        }
        for language in pycountry.languages
        if hasattr(language, "alpha_2")
    ]


def currencies() -> list[dict[str, object]]:
    return [{"code": currency.alpha_3, "name": currency.name[:64]} for currency in pycountry.currencies]


def entries() -> list[dict[str, object]]:
    return [
        {"dictionary": dictionary, "id": str(number), "label": label}
        for dictionary, labels in DICTIONARIES.items()
        for number, label in labels.items()
    ]


def numbered(column: str, *names: str) -> list[dict[str, object]]:
    return [{column: number, "name": name} for number, name in enumerate(names, 1)]


def seeds() -> dict[str, list[dict[str, object]]]:
    return {
        "time_zones": time_zones(),
        "languages": languages(),
        "currencies": currencies(),
        "export_types": numbered("i_export_type", "CSV", "Excel"),
        "password_policies": numbered("i_password_policy", "Default"),
        "payment_methods": numbered(
            "i_payment_method",
            "Credit or debit card",
            "Bank transfer",
            "Direct debit",
            "Cash",
            "Cheque",
            "Other",
        ),
        "access_levels": [
            {"i_access_level": level, "name": name}
            for level, name in {
                "ADMINISTRATOR": "Administrator",
                "REPORTER": "Reporter",
                "BILLING": "Billing",
                "CALL_SHOP_OPERATOR": "Call Shop Operator",
                "NOC": "NOC",
            }.items()
        ],
        "dictionary_entries": entries(),
    }


def upgrade() -> None:
    for name, rows in seeds().items():
        table = sa.table(name, *(sa.column(column) for column in rows[0]))
        op.bulk_insert(table, rows)


def downgrade() -> None:
    """Remove what came from here, and nothing that was added since."""
    connection = op.get_bind()
    for name, rows in seeds().items():
        key = sa.inspect(connection).get_pk_constraint(name)["constrained_columns"]
        table = sa.table(name, *(sa.column(column) for column in key))
        of_row = sa.and_(*(table.c[column] == sa.bindparam(f"old_{column}") for column in key))
        connection.execute(
            sa.delete(table).where(of_row), [{f"old_{column}": row[column] for column in key} for row in rows]
        )
