"""What lists take and answer: a page of the rows, their order, and how many there are in all."""

from xmlrpc_api.declaration.fields import Field, Wire

OFFSET = Field(name="offset", wire=Wire.INT, low=0, doc="How many of the first rows to skip; 0 if left out.", example=0)
LIMIT = Field(name="limit", wire=Wire.INT, low=0, doc="How many rows to answer; all if left out.", example=100)
AFTER = Field(
    name="after",
    wire=Wire.INT,
    low=1,
    doc="Only the rows behind the one with this id, the last of the page before: a far page costs what the first does,"
    " and none is missed or told twice. The row need not be there any more; offset counts from it.",
    example=None,
)
WITH_TOTAL = Field(
    name="with_total", wire=Wire.BOOLEAN, doc="Whether to tell how many there are in all, as `total`.", example=False
)
TOTAL = Field(name="total", wire=Wire.INT, doc="How many there are in all, if with_total asks for it.", example=1)
PAGE = (AFTER, OFFSET, LIMIT, WITH_TOTAL)
START_DATE = Field(name="start_date", wire=Wire.DATETIME, doc="Only what is not before this time.")
END_DATE = Field(name="end_date", wire=Wire.DATETIME, doc="Only what is before this time.")
BETWEEN = (*PAGE, START_DATE, END_DATE)


def rows_of(name: str, doc: str, members: tuple[Field, ...]) -> tuple[Field, Field]:
    """What a list answers that takes `WITH_TOTAL`."""
    return Field(name=name, wire=Wire.ARRAY, doc=doc, members=members), TOTAL


def sorted_by(*orders: str) -> Field:
    """The parameter that says by which of these a list is ordered."""
    names = ", ".join(orders)
    return Field(
        name="sort",
        wire=Wire.STRING,
        limit=64,
        doc=f"By what they are ordered: {names}, the other way round behind a minus sign; not together with after.",
        example=orders[0],
    )


def pattern_of(name: str, column: str) -> Field:
    """The parameter that says to which pattern a text must fit."""
    return Field(
        name=name,
        wire=Wire.STRING,
        limit=256,
        doc=f"Only those whose {column} fits this, whatever the case of its letters: % stands for any characters, "
        "_ for one, and a backslash before one of them for itself.",
        example="%",
    )
