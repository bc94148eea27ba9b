"""What the API makes of a model."""

from collections.abc import Iterable

import pytest
from sqlalchemy import Boolean, ForeignKey, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped

from models import Access
from models.base import field
from xmlrpc_api.declaration.entity import Entity
from xmlrpc_api.declaration.fields import Field, Wire


class Elsewhere(DeclarativeBase):
    metadata = MetaData()


class House(Elsewhere):
    __tablename__ = "houses"

    i_house: Mapped[int] = field(Integer, primary_key=True, doc="Id.", access=Access.READ_ONLY)


class Room(Elsewhere):
    __tablename__ = "rooms"

    i_room: Mapped[int] = field(Integer, primary_key=True, doc="Id.", access=Access.READ_ONLY)
    i_house: Mapped[int] = field(Integer, ForeignKey("houses.i_house"), doc="Its house.", access=Access.REQUIRED)
    colour: Mapped[str | None] = field(String(20), doc="Colour of its walls.")
    is_warm: Mapped[bool] = field(Boolean, doc="Whether it is heated.")
    lock: Mapped[str] = field(String(20), doc="What opens it.", secret=True)
    painter: Mapped[str] = field(String(20), doc="Who painted it last.", access=Access.RECORDED)
    ghost: Mapped[str] = field(String(20), doc="Who lives in it.", access=Access.HIDDEN)


@pytest.fixture
def room() -> Entity:
    return Entity(Room)


def names(fields: Iterable[Field]) -> list[str]:
    return [one.name for one in fields]


def test_it_is_made_with_what_clients_may_set(room: Entity) -> None:
    assert names(room.create) == ["i_house", "colour", "is_warm", "lock"]
    assert [one.required for one in room.create] == [True, False, False, False]


def test_an_update_requires_nothing_and_refuses_nil_where_it_is_none(room: Entity) -> None:
    assert not any(one.required for one in room.update)
    assert [one.nil_refused for one in room.update] == [True, False, True, True]


def test_secrets_and_what_is_hidden_are_never_read(room: Entity) -> None:
    assert names(room.read) == ["i_room", "i_house", "colour", "is_warm"]
    assert room.secrets == ("lock",)


def test_what_is_elsewhere_is_still_an_attribute() -> None:
    room = Entity(Room, elsewhere={"colour"})

    assert "colour" not in names((*room.create, *room.update, *room.read))
    assert "colour" in room.writable


def test_types_and_limits_are_those_of_the_columns(room: Entity) -> None:
    assert [room[name].wire for name in ("i_room", "colour", "is_warm")] == [Wire.INT, Wire.STRING, Wire.BOOLEAN]
    assert (room["colour"].limit, room["colour"].nullable, room["is_warm"].nullable) == (20, True, False)


def test_it_knows_what_it_points_at(room: Entity) -> None:
    assert {name: str(column) for name, column in room.references.items()} == {"i_house": "houses.i_house"}


def test_fields_are_chosen_by_name(room: Entity) -> None:
    assert names(room.some("lock", "i_room")) == ["lock", "i_room"]
    assert room.require("colour").required


def test_a_query_reads_each_under_its_own_name(room: Entity) -> None:
    statement = room.select(room.some("i_room", "colour"))

    assert [column.name for column in statement.selected_columns] == ["i_room", "colour"]
    assert str(statement).endswith("FROM rooms")
