"""Reading CSV: what is usual is understood, every wrong line is named, nothing that is sent costs more than it may."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmlrpc_api.tabular import cells
from xmlrpc_api.tabular.sheet import LINE_BYTES, MOST_WRONG, Column, Sheet, Wrong

SHEET = Sheet(
    [
        Column(name="prefix", read=cells.digits(10), called=("code", "Destination Code"), required=True),
        Column(name="price", read=cells.number(6, 1000), called=("rate",), required=True),
        Column(name="area", read=cells.text(20), called=("country",)),
    ],
    most_rows=50_000,
)


def read(text, sheet=SHEET):
    return sheet.read([text if isinstance(text, bytes) else text.encode()])


@pytest.mark.parametrize(
    "text",
    [
        "prefix,price,area\n49,0.05,Germany\n",
        "Code;Rate;Country\r\n49;0.05;Germany\r\n",
        "\ufeffprefix\tprice\tarea\n49\t0.05\tGermany",
        '"destination_code","PRICE","area"\n"49","0.05","Germany"\n',
        "area,colour,prefix,price\nGermany,red,49,0.05\n",
        "sep=;\n\nprefix;price;area\n\n 49 ; 0.05 ;Germany;;\n;;\n",
        "area,prefix,price,\nGermany,+49,0.050000,\n",
    ],
)
def test_what_is_usual_is_understood(text):
    table = read(text)

    assert table.wrong == []
    assert table.columns == {"prefix": ["49"], "price": [Decimal("0.05")], "area": ["Germany"]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("prefix\n49\n", "the header has no column price (or rate)"),
        ("prefix,code,price\n", "the columns prefix and code of the header mean the same: prefix"),
        ('prefix,"price\n', "the header is not CSV: unexpected end of data"),
        ("prefix,price\r49,1\r", "the header is not CSV: new-line character seen in unquoted field"),
        (",".join(["a"] * 101) + "\n", "the header has more than 100 columns"),
        (",".join(["a"] * 10**6) + "\n", f"the header is longer than {LINE_BYTES} bytes"),
        ("prefix;price\n49;1\n".encode("utf-16"), "the file is not UTF-8 (UTF-16?), or not a text at all"),
        (bytes(1000), "the file is not UTF-8 (UTF-16?), or not a text at all"),
        ("prefix,price\n" + "1,1\n" * 50_001, "the file has more than 50000 lines"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, why):
    assert Wrong(0, why) in read(text).wrong


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("49;0,05", "line 2: price has a decimal comma: a point is needed ('0,05')"),
        ("49;", "line 2: price is missing"),
        ("x;-1", "line 2: prefix is not made of digits ('x'); price must be from 0 to 1000 ('-1')"),
        ("49;1;a;b", "line 2: has 4 cells, the header 3"),
        ('49;"1', "line 2: is not CSV: unexpected end of data"),
        ('49;"1"2', "line 2: is not CSV: ';' expected after '\"'"),
        ("49;1;\0", "line 2: holds a NUL"),
        ("\n\n49;1;" + "a" * 10**6, f"line 4: is longer than {LINE_BYTES} bytes"),
        ("49;" + "1" * 60_000, f"line 2: price is not a number ('{'1' * 40}')"),
        ('49;1;"a\nb"\n1;1;"c\nd"', "line 2: area holds control characters ('a\\nb')"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(lines, wrong):
    table = read(f"prefix;price;area\n{lines}\n7;2;z")

    assert str(table.wrong[0]) == wrong
    assert all(line.line > 1 for line in table.wrong)


def test_lines_are_counted_as_an_editor_counts_them():
    table = read("\nsep=;\nprefix;price;area\n\n1;1;\n2;x\n")

    assert (table.lines, [wrong.line for wrong in table.wrong]) == ([5], [6])


def test_what_is_not_utf_8_is_told_by_line():
    table = read(b"prefix,price,area\n49,1,K" + b"\xf6ln\n1,1,\n")

    assert (table.lines, table.wrong) == ([3], [Wrong(2, "is not UTF-8")])


def test_a_comma_in_a_price_between_commas_is_suspected():
    assert read("prefix,price\n49,0,05\n").wrong == [Wrong(2, "has 3 cells, the header 2: is there a decimal comma?")]


def test_a_quote_that_never_ends_does_not_hold_all_that_follows():
    table = read('prefix,price\n1,"\n' + "2,2\n" * 40_000)

    assert table.wrong[0].line == 2
    assert len(table.lines) > 1000


def test_headers_that_mean_nothing_are_told():
    assert read("prefix,price,Efective date,,margin\n1,1,,,\n").ignored == ["Efective date", "margin"]


def test_of_a_file_of_rubbish_no_more_is_told_than_anybody_reads():
    table = read("prefix,price\n" + "x,x\n" * 40_000)

    assert len(table.wrong) == MOST_WRONG + 1
    assert table.wrong[0] == Wrong(0, f"more than {MOST_WRONG} lines are wrong: the rest was not read")


def test_progress_is_told():
    told: list[int] = []

    SHEET.read([b"prefix,price\n" + b"1,1\n" * 12_000], told.append)

    assert told == [5000, 10_000, 12_000]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_nothing_that_is_sent_is_an_error_of_ours(pieces):
    table = SHEET.read([b"prefix,price\n", *pieces])

    assert len(set(map(len, table.columns.values()))) == 1


@given(st.integers(1, 30))
def test_it_does_not_matter_how_a_file_is_cut(size):
    file = "\ufeffprefix;price;area\r\n49;1;Köln\r\n50;x\r\n51;2;\r\n".encode()

    assert SHEET.read([file[at : at + size] for at in range(0, len(file), size)]) == read(file)
