"""The XML-RPC writer alone: xmlrpclib's form byte for byte, and no value that it cannot write."""

import enum
import xmlrpc.client
from collections.abc import Callable
from datetime import UTC, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine.default import DefaultDialect
from wire import document

from models import Customer, Exact, Factor, Money
from xmlrpc_api.declaration.faults import Fault, InvalidRequest, NotFound
from xmlrpc_api.storage.rows import Kind, Rows
from xmlrpc_api.transport import xml, xml_writer

DIALECT = DefaultDialect()


class Color(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


CUSTOMER = {
    "result": "OK",
    "i_customer": 29,
    "balance": 25.5,
    "blocked": True,
    "i_tariff": None,
    "name": "",
    "created": datetime(2026, 11, 20, 9, 57, 29),  # noqa: DTZ001 (as xmlrpclib wants it)
    "customers": [],
    "rows": [{"i_customer": 30}, "a & b <c>"],
    "empty": {},
    "logo": b"\x00\xff",
}
FORMS = {
    "int": (7, "<int>7</int>"),
    "smallest int": (-(2**31), "<int>-2147483648</int>"),
    "largest int": (2**31 - 1, "<int>2147483647</int>"),
    "larger than an int": (2**31, "<string>2147483648</string>"),
    "true": (True, "<boolean>1</boolean>"),
    "false": (False, "<boolean>0</boolean>"),
    "nil": (None, "<nil/>"),
    "empty string": ("", "<string></string>"),
    "spaces": ("  a ", "<string>  a </string>"),
    "markup": ("<a>&]]>\"'", "<string>&lt;a&gt;&amp;]]&gt;\"'</string>"),
    "lines": ("a\r\nb\tc", "<string>a&#13;\nb\tc</string>"),
    "control characters": ("a\x00b\x1b\x7f", "<string>a\ufffdb\ufffd\x7f</string>"),
    "no characters": ("\ud800\ufffe\uffff", "<string>\ufffd\ufffd\ufffd</string>"),
    "beyond the basic plane": ("\U0001f600", "<string>\U0001f600</string>"),
    "whole number": (Decimal(100), "<double>100.0</double>"),
    "money": (Decimal("99.200000"), "<double>99.2</double>"),
    "a millionth": (Decimal("1E-6"), "<double>0.000001</double>"),
    "an exponent": (Decimal("1E+3"), "<double>1000.0</double>"),
    "more digits than decimal's context": (
        Decimal("-12345678901234567890123456789.123456"),
        "<double>-12345678901234567890123456789.123456</double>",
    ),
    "float": (1e-07, "<double>0.0000001</double>"),
    "not a number": (Decimal("NaN"), "<nil/>"),
    "infinite": (float("inf"), "<nil/>"),
    "date": (
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "<dateTime.iso8601>20260102T03:04:05</dateTime.iso8601>",
    ),
    "early date": (datetime(7, 1, 2, tzinfo=UTC), "<dateTime.iso8601>00070102T00:00:00</dateTime.iso8601>"),
    "bytes": (b"\x00", "<base64>AA==</base64>"),
    "a kind of string": (Color.RED, "<string>red</string>"),
    "a kind of int": (Level.HIGH, "<int>3</int>"),
    "tuple": ((), "<array><data>\n</data></array>"),
    "anything else": (UTC, "<string>UTC</string>"),
}


@pytest.mark.parametrize(("value", "form"), FORMS.values(), ids=FORMS)
def test_writes_the_form_that_old_parsers_expect(value: object, form: str) -> None:
    assert f"<param>\n<value>{form}</value>".encode() in xml_writer.dumps(value)


def test_an_answer_is_what_xmlrpclib_writes() -> None:
    ours = xml_writer.dumps(CUSTOMER)

    theirs = xmlrpc.client.dumps((CUSTOMER,), methodresponse=True, allow_none=True)
    assert ours.decode() == theirs.replace("<base64>\nAP8=\n</base64>", "<base64>AP8=</base64>")


def test_a_fault_is_what_xmlrpclib_writes_with_the_code_first() -> None:
    ours = xml_writer.dumps_fault(NotFound(Customer)).decode()

    assert ours == xmlrpc.client.dumps(xmlrpc.client.Fault(404, "Customer not found"))
    assert ours.index("faultCode") < ours.index("faultString")


def test_a_fault_with_any_text_can_be_read() -> None:
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(xml_writer.dumps_fault(InvalidRequest("a\x00<b>\ud800")))

    assert caught.value.faultString == "a\ufffd<b>\ufffd"


def test_a_call_is_what_xmlrpclib_writes() -> None:
    params = [{"name": "acme", "i_tariff": None}, 1]

    assert xml_writer.dumps_call("m", params).decode() == xmlrpc.client.dumps(tuple(params), "m", allow_none=True)


def test_no_white_space_within_value() -> None:
    assert b"<value><struct>" in xml_writer.dumps({})
    assert b"<value><array><data>" in xml_writer.dumps([])


settings.register_profile("wire", deadline=None)  # a busy machine is no bug
settings.load_profile("wire")

text = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=["Cc"]) | st.sampled_from("\t\n")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15)
    | text
    | st.binary()
    | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
)


def nests(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)


values = st.recursive(scalars, nests, max_leaves=15)


def as_python(value: Any) -> Any:
    """A value as xmlrpc.client has it: floats and naive dates."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, list):
        return [as_python(item) for item in value]
    if isinstance(value, dict):
        return {name: as_python(member) for name, member in value.items()}
    return value


@given(values)
def test_python_reads_what_is_written(value: Any) -> None:
    ((read,), _) = xmlrpc.client.loads(xml_writer.dumps(value), use_builtin_types=True)

    assert read == as_python(value)


@given(values)
def test_what_python_writes_is_read(value: Any) -> None:
    written = xmlrpc.client.dumps((as_python(value),), "m", allow_none=True)

    _, (read,) = xml.loads(written.encode())

    assert as_python(read) == as_python(value)


@given(values | text.map(lambda line: line + "\r"))
def test_what_is_written_is_read_again_exactly(value: Any) -> None:
    assert xml.loads(xml_writer.dumps_call("m", [value])) == ("m", [value])
    assert xml.loads_answer(xml_writer.dumps(value)) == (False, value)


anything = st.recursive(
    scalars
    | st.text(st.characters())
    | st.floats()
    | st.integers()
    | st.decimals()
    | st.dates()
    | st.timezones()
    | st.sets(st.integers())
    | st.just(timezone),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=10,
)


@given(anything)
def test_nothing_can_make_the_writer_fail(value: Any) -> None:
    document = xml_writer.dumps(value)

    assert xml.parse(document) is not None
    assert len(xmlrpc.client.loads(document, use_builtin_types=True)[0]) == 1


columns = (  # what one place of all rows of a list may hold
    st.integers(-(2**31), 2**31 - 1),
    st.integers(),
    st.text(st.characters()),
    text,
    st.none() | text,
    st.booleans(),
    st.decimals(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.timezones()),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.integers(-2, 2),
    st.sampled_from([0, -0.0, False, Decimal("-0.0"), Decimal(0)]),  # which are all equal
    st.sampled_from([None, "same"]),
    anything,
)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[Any, Any]]:
    """Rows with values of one kind, mostly, in each place."""
    names = draw(st.lists(st.text(st.characters()) | st.integers(), unique=True, max_size=4))
    kinds = [draw(st.sampled_from(columns)) for _ in names]
    row = st.tuples(*kinds).map(lambda values: dict(zip(names, values, strict=True)))
    rows = draw(st.lists(row, max_size=3 * xml_writer.FEW))
    return [*rows, {"another": 1}] if draw(st.integers(0, 9)) == 0 else rows


@given(tables())
def test_a_list_is_what_its_rows_are_one_by_one(rows: list[dict[Any, Any]]) -> None:
    assert xml_writer.dumps(rows) == xml_writer.dumps(tuple(rows))  # a tuple is written row by row


WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2)


@pytest.mark.parametrize("kind", [Money(), Factor()], ids=["money", "rate"])
@given(rows=st.lists(st.tuples(WHOLE, WHOLE.filter(lambda value: value is not None)), max_size=3 * xml_writer.FEW))
def test_money_of_a_list_is_exactly_that_of_its_rows(kind: Exact, rows: list[tuple[int | None, int]]) -> None:
    read = kind.result_processor(DIALECT, None)
    kinds = [Kind("nullable", read, kind.places), Kind("filled", read, kind.places)]

    at_once = xml_writer.dumps(Rows(kinds, rows))

    assert at_once == xml_writer.dumps(tuple(Rows(kinds, rows)))


def test_a_row_that_was_changed_is_written_as_changed() -> None:
    rows = Rows([Kind("name", None)], [("found",)] * xml_writer.FEW)

    rows[0]["name"] = "changed"

    assert xml_writer.dumps(rows).count(b"found") == xml_writer.FEW - 1


def fails_in_order(read: Callable[[], Any]) -> bool:
    """Whether it is read, or refused by a fault; anything else is raised."""
    try:
        read()
    except Fault as fault:
        return fault.code < 0
    return True


@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_whatever_bytes_come_in_the_reader_raises_faults_alone(body: bytes) -> None:
    assert fails_in_order(lambda: xml.loads(body))


TAGS = "value int struct member name array data nil string"
PIECES = [form.format(tag) for tag in TAGS.split() for form in ("<{}>", "</{}>", "<{}/>")]
PIECES += ["<!--x-->", "<?x?>", "<![CDATA[x]]>", "&amp;", "&x;", "1", "\0", "]]>"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_tags_come_in_the_reader_raises_faults_alone(content: str) -> None:
    assert fails_in_order(lambda: xml.loads(document("m", content)))
    assert fails_in_order(lambda: xml.loads_answer(f"<methodResponse>{content}</methodResponse>".encode()))
