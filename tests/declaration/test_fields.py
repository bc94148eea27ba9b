"""What is made of a value that a client sent, by its declaration alone."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from xmlrpc_api.declaration.faults import BadParameter, WrongType
from xmlrpc_api.declaration.fields import TEXT_LIMIT, Field, Params, Wire
from xmlrpc_api.declaration.numbers import INT_HIGH, to_decimal

TIME = datetime(2026, 11, 20, 9, 57, 29, tzinfo=UTC)


def declared(wire: Wire, **further: Any) -> Params:
    return Params("try", [Field(name="it", wire=wire, doc="It.", **further)])


def loaded(wire: Wire, value: Any, **further: Any) -> Any:
    return declared(wire, **further).load({"it": value})["it"]


class TestReading:
    @pytest.mark.parametrize(
        ("wire", "sent", "kept"),
        [
            (Wire.INT, 7, 7),
            (Wire.INT, True, 1),
            (Wire.INT, " 007 ", 7),
            (Wire.INT, Decimal("7.0"), 7),
            (Wire.DOUBLE, 7, Decimal(7)),
            (Wire.DOUBLE, Decimal("0.30000000000000004"), Decimal("0.3")),
            (Wire.DOUBLE, Decimal("0.0000005"), Decimal(0)),
            (Wire.DOUBLE, Decimal("0.0000015"), Decimal("0.000002")),
            (Wire.DOUBLE, " 1.5 ", Decimal("1.5")),
            (Wire.STRING, 7, "7"),
            (Wire.STRING, " kept as it is ", " kept as it is "),
            (Wire.STRING, "", ""),
            (Wire.BOOLEAN, 1, True),
            (Wire.BOOLEAN, "false", False),
            (Wire.DATETIME, "20261120T09:57:29", TIME),
            (Wire.DATETIME, "09:57:29.000 GMT Fri Nov 20 2026", TIME),
            (Wire.DATETIME, TIME.replace(tzinfo=None), TIME),
            (Wire.ID_OR_NAME, "29", 29),
            (Wire.ID_OR_NAME, "acme", "acme"),
            (Wire.ANY, "", ""),
        ],
        ids=repr,
    )
    def test_takes_what_clients_send_for_a_type(self, wire: Wire, sent: Any, kept: Any) -> None:
        found = loaded(wire, sent)

        assert (found, type(found)) == (kept, type(kept))

    @pytest.mark.parametrize(
        ("wire", "sent"),
        [
            (Wire.INT, 1.5),
            (Wire.INT, Decimal("1.5")),
            (Wire.INT, Decimal("NaN")),
            (Wire.INT, "1_0"),
            (Wire.INT, "\u0661"),
            (Wire.DOUBLE, True),
            (Wire.DOUBLE, "many"),
            (Wire.DOUBLE, "1" * 41),
            (Wire.DOUBLE, Decimal("Infinity")),
            (Wire.STRING, True),
            (Wire.STRING, ["a"]),
            (Wire.BOOLEAN, "yes"),
            (Wire.BOOLEAN, 2),
            (Wire.DATETIME, "2026-11-20"),
            (Wire.DATETIME, 20261120),
            (Wire.STRUCT, []),
            (Wire.ARRAY, {}),
            (Wire.ID_OR_NAME, {}),
        ],
        ids=repr,
    )
    def test_refuses_another_type(self, wire: Wire, sent: Any) -> None:
        with pytest.raises(WrongType, match=r"^Parameter it must be a"):
            loaded(wire, sent)

    @pytest.mark.parametrize(
        ("wire", "sent", "further", "reason"),
        [
            (Wire.INT, INT_HIGH + 1, {}, "must be between -2147483648 and 2147483647"),
            (Wire.INT, 0, {"low": 1}, "must be between 1 and 2147483647"),
            (Wire.INT, 8, {"high": 7}, "must be between -2147483648 and 7"),
            (Wire.DOUBLE, -1, {"low": 0}, "must not be less than 0"),
            (Wire.DOUBLE, Decimal("1e401"), {}, "is out of range"),
            (Wire.DOUBLE, "0.0000001", {}, "must have at most six decimals"),
            (Wire.STRING, "four", {"limit": 3}, "is longer than 3 characters"),
            (Wire.STRING, "x" * (TEXT_LIMIT + 1), {}, f"is longer than {TEXT_LIMIT} characters"),
            (Wire.STRING, "\0", {}, "holds a character that XML does not allow"),
            (Wire.STRING, "", {"check": "not_empty"}, "must not be empty"),
            (Wire.ID_OR_NAME, str(INT_HIGH + 1), {}, "must be between"),
        ],
        ids=lambda value: repr(value)[:40],
    )
    def test_refuses_what_is_out_of_bounds(self, wire: Wire, sent: Any, further: dict[str, Any], reason: str) -> None:
        with pytest.raises(BadParameter, match=reason):
            loaded(wire, sent, **further)

    @pytest.mark.parametrize("text", ["", "1e", "0x1", "1,5", "NaN", "1_0", "1" * 401])
    def test_a_double_is_a_finite_number(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a number"):
            to_decimal(text)


class TestAbsence:
    def test_left_out_stays_left_out(self) -> None:
        assert declared(Wire.INT).load({}) == {}

    @pytest.mark.parametrize("raw", [{}, {"it": None}, {"it": ""}], ids=["left out", "nil", "empty"])
    def test_what_is_required_must_be_there(self, raw: dict[str, Any]) -> None:
        with pytest.raises(BadParameter, match="it is required"):
            declared(Wire.INT, required=True).load(raw)

    def test_nil_is_a_value_where_it_is_one(self) -> None:
        assert declared(Wire.INT, nullable=True).load({"it": None}) == {"it": None}

    def test_nil_counts_as_left_out_where_it_is_none(self) -> None:
        assert declared(Wire.INT).load({"it": None}) == {}

    def test_nil_is_refused_where_it_would_be_kept_silently(self) -> None:
        with pytest.raises(BadParameter, match="must not be nil"):
            declared(Wire.INT, nil_refused=True).load({"it": None})

    @pytest.mark.parametrize(("wire", "is_given"), [(Wire.STRING, True), (Wire.ANY, True), (Wire.DOUBLE, False)])
    def test_an_empty_value_is_left_out_unless_it_is_a_text(self, wire: Wire, is_given: bool) -> None:
        assert ("it" in declared(wire).load({"it": ""})) is is_given


class TestParams:
    def test_the_first_offender_in_declared_order_is_named(self) -> None:
        params = Params("try", [Field(name=name, wire=Wire.INT, doc="It.") for name in ("first", "second")])

        with pytest.raises(WrongType, match="Parameter first"):
            params.load({"second": "x", "first": "x"})

    def test_what_is_not_declared_is_dropped_and_told(self) -> None:
        params = declared(Wire.INT)

        assert params.load({"it": 1, "other": 2}) == {"it": 1}
        assert params.unknown({"it": 1, "other": 2}) == ["other"]

    def test_a_name_is_declared_once(self) -> None:
        with pytest.raises(TypeError, match="try declares a parameter twice"):
            Params("try", [Field(name="it", wire=Wire.INT, doc="It.")] * 2)

    def test_members_of_structs_are_checked_like_parameters(self) -> None:
        members = (Field(name="id", wire=Wire.INT, doc="Its id.", required=True),)

        assert loaded(Wire.STRUCT, {"id": "7", "more": 1}, members=members) == {"id": 7}
        assert loaded(Wire.ARRAY, [{"id": "7"}], members=members) == [{"id": 7}]
        with pytest.raises(BadParameter, match="id is required"):
            loaded(Wire.ARRAY, [{}], members=members)

    def test_items_of_arrays_have_a_type_and_a_limit(self) -> None:
        assert loaded(Wire.ARRAY, [1, "b"], items=Wire.STRING) == ["1", "b"]
        with pytest.raises(BadParameter, match="is longer than 1 character"):
            loaded(Wire.ARRAY, ["ab"], items=Wire.STRING, limit=1)
