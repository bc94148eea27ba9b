"""What the columns of price lists are called in the trade, and what stands in them."""

import re
from decimal import Decimal

from models import Rate
from models.rate import LONGEST_INTERVAL, PREFIX_LENGTH
from models.tariff import LARGEST_PRICE
from xmlrpc_api.tabular import cells
from xmlrpc_api.tabular.sheet import Column, Sheet

MOST_ROWS = 500_000
AREA_LENGTH = 128
PLACES = Rate.price_1.type.places
TAKE, CLOSE = "take", "close"
ACTIONS = {
    TAKE: "a u s sa add added new increase increased decrease decreased dearer cheaper change changed update updated"
    " current active unchanged same opened forbidden blocked",
    CLOSE: "d del delete deleted remove removed close closed discontinued withdrawn end ended",
}
_ACTIONS = {word: action for action, words in ACTIONS.items() for word in words.split()} | {"no change": TAKE}
_INCREMENT = re.compile(r"([0-9]{1,6})(?: ?[/+:-] ?([0-9]{1,6}))?")

_price = cells.number(PLACES, LARGEST_PRICE)
_interval = cells.whole(1, LONGEST_INTERVAL)


def _increment(cell: str) -> tuple[int, int]:
    """Both intervals in one cell, such as 60/6; one alone is both."""
    match = _INCREMENT.fullmatch(cell)
    if match is None:
        raise ValueError("is no pair of intervals such as 60/6")
    return _interval(match[1]), _interval(match[2] or match[1])


def _action(cell: str) -> str:
    """What is to be done with the line. What a price list says of its changes is no matter, but for closed ones."""
    known = _ACTIONS.get(cell.casefold().replace("_", " "))
    if known is None:
        raise ValueError("is none of add, new, increase, decrease, unchanged, delete, closed")
    return known


def _local(name: str, read: cells.Read) -> Column:
    return Column(name=f"local_{name}", read=read)


SHEET = Sheet(
    [
        Column(
            name="prefix",
            read=cells.digits(PREFIX_LENGTH),
            required=True,
            called=("code", "destination code", "dial code", "dialing code", "dialcode", "dst code", "dst prefix"),
        ),
        Column(
            name="price_1",
            read=_price,
            required=True,
            may_be_empty=True,
            called=("price", "rate", "new price", "new rate", "price per minute", "rate per minute", "rate 1", "ppm"),
        ),
        Column(name="price_n", read=_price, called=("next price", "rate n", "subsequent price")),
        Column(
            name="interval_1",
            read=_interval,
            called=("first interval", "initial interval", "first increment", "initial increment", "minimum duration"),
        ),
        Column(
            name="interval_n",
            read=_interval,
            called=("next interval", "subsequent interval", "next increment", "subsequent increment"),
        ),
        Column(
            name="increment",
            read=_increment,
            called=("increments", "billing increment", "billing increments", "intervals", "billing", "rounding"),
        ),
        Column(name="forbidden", read=cells.flag, called=("blocked", "barred")),
        Column(name="grace_period_enable", read=cells.flag, called=("grace period", "grace")),
        Column(
            name="activation_date",
            read=cells.moment,
            called=("activation", "effective date", "effective", "effective from", "valid from", "start date", "from"),
        ),
        Column(
            name="expiration_date",
            read=cells.moment,
            called=("expiration", "expiry date", "expiry", "expires", "end date", "valid to", "valid until", "until"),
        ),
        Column(
            name="area_name",
            read=cells.text(AREA_LENGTH),
            called=("area", "destination", "destination name", "zone", "zone name"),
        ),
        Column(name="description", read=cells.text(AREA_LENGTH), called=("name",)),
        Column(name="country", read=cells.text(AREA_LENGTH), called=("country name",)),
        Column(
            name="action",
            read=_action,
            called=("action a d u s sa", "change", "change type", "changes", "status"),
        ),
        _local("price_1", _price),
        _local("price_n", _price),
        _local("interval_1", _interval),
        _local("interval_n", _interval),
    ],
    most_rows=MOST_ROWS,
)
FREE = Decimal(0)
