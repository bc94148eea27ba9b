"""The tables of the dialects fit the models, or nothing is imported."""

import pytest
from sqlalchemy import Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped

from models import Access
from models.base import field
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.dialects import ngnpro, switch
from xmlrpc_api.dialects.entities import demand_fit, entity_of


class Elsewhere(DeclarativeBase):
    metadata = MetaData()


class Room(Elsewhere):
    __tablename__ = "rooms"

    i_room: Mapped[int] = field(Integer, primary_key=True, doc="Id.", access=Access.READ_ONLY)
    colour: Mapped[str] = field(String(20), doc="Colour of its walls.")
    lock: Mapped[str] = field(String(20), doc="What opens it.", secret=True)
    painter: Mapped[str] = field(String(20), doc="Who painted it last.", access=Access.RECORDED)


ROOM = Entity(Room)


@pytest.mark.parametrize(
    "model", sorted({*switch.LACKED, *ngnpro.NAMES}, key=lambda model: model.__name__), ids=lambda model: model.__name__
)
def test_every_table_fits_its_model(model: type) -> None:
    assert entity_of(model).model is model


WRONG = {
    "lacks what is not there": ({"window"}, {}, r"does not have \['window'\]"),
    "renames what is not there": (set(), {"window": "view"}, r"does not have \['window'\]"),
    "one name for two": (set(), {"colour": "look", "lock": "look"}, r"two attributes that a dialect calls \['look'\]"),
    "had by nobody": ({"colour", "lock"}, {"lock": "key"}, r"\['colour'\], which no dialect has"),
    "what the server sets may be nobody's": ({"i_room", "painter", "colour"}, {}, r"rooms has \['colour'\], which"),
}


@pytest.mark.parametrize(("lacked", "renamed", "text"), WRONG.values(), ids=WRONG)
def test_a_table_that_does_not_fit_is_an_error(lacked: set[str], renamed: dict[str, str], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        demand_fit(ROOM, lacked, renamed)


def test_what_is_lacked_is_neither_taken_nor_answered() -> None:
    entity = Entity(Room, {"colour"})

    assert [field.name for field in (*entity.create, *entity.update)] == ["lock"] * 2
    assert [field.name for field in entity.read] == ["i_room"]


def test_what_is_recorded_is_of_the_history_alone() -> None:
    assert "painter" in ROOM.fields
    assert "painter" not in {field.name for field in (*ROOM.create, *ROOM.update, *ROOM.read)}
