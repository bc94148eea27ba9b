"""The counter of wrong API credentials: what it keeps, for how long, and what a flood cannot do to it."""

import pytest
from harness import Clock

from xmlrpc_api.access.credential_throttle import KEY_BYTES, MOST_OF_A_LEVEL, Attempts, Kind
from xmlrpc_api.addresses import counted

LOGIN, HOME = "victim", "192.0.2.1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(10, 100, lambda: clock().timestamp())


def flood(attempts: Attempts, count: int, times: int = 1) -> None:
    """Wrong credentials of so many logins from as many addresses, each so often."""
    for number in range(count):
        for _ in range(times):
            attempts.failed(Kind.CUSTOMER, f"nobody-{number}", f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")


def left(attempts: Attempts, login: str = LOGIN, address: str = HOME) -> int:
    """How many more wrong attempts are judged."""
    count = 0
    while attempts.are_left(Kind.CUSTOMER, login, address):
        attempts.failed(Kind.CUSTOMER, login, address)
        count += 1
    return count


def test_memory_is_bounded_in_keys_and_in_bytes(attempts: Attempts) -> None:
    """Every key has as many bytes, whatever was tried."""
    flood(attempts, MOST_OF_A_LEVEL + 100)
    for number in range(300):
        attempts.failed(Kind.CUSTOMER, f"{number}" * 100_000, f"192.0.2.{number % 250}")

    assert len(attempts) <= 2 * MOST_OF_A_LEVEL
    assert {len(key) for level in attempts._levels for key in level} == {KEY_BYTES}


def test_what_is_over_leaves_by_itself(attempts: Attempts, clock: Clock) -> None:
    flood(attempts, 1000)
    clock.move(30)
    attempts.failed(Kind.CUSTOMER, LOGIN, HOME)
    assert len(attempts) == 2002

    clock.move(30)
    attempts.are_left(Kind.CUSTOMER, "anybody", HOME)
    assert len(attempts) == 2

    clock.move(30)
    attempts.are_left(Kind.CUSTOMER, "anybody", HOME)
    assert len(attempts) == 0


def test_a_flood_does_not_wash_out_the_counter_of_the_login_that_is_guessed(attempts: Attempts) -> None:
    for _ in range(8):
        attempts.failed(Kind.CUSTOMER, LOGIN, HOME)

    flood(attempts, 2 * MOST_OF_A_LEVEL)

    assert left(attempts) == 2


def test_guesses_after_a_flood_are_counted_as_ever(attempts: Attempts) -> None:
    """Counters that are full of others make room for a new one."""
    flood(attempts, 2 * MOST_OF_A_LEVEL, times=2)

    assert left(attempts) == 10


def test_a_window_begins_with_its_first_failure(attempts: Attempts, clock: Clock) -> None:
    attempts.failed(Kind.CUSTOMER, LOGIN, HOME)
    clock.move(59)
    assert left(attempts) == 9

    clock.move(1)
    assert left(attempts) == 10


def test_logins_of_one_kind_are_nobody_elses(attempts: Attempts) -> None:
    assert left(attempts) == 10

    assert attempts.are_left(Kind.ADMINISTRATOR, LOGIN, HOME)
    assert not attempts.are_left(Kind.CUSTOMER, LOGIN.upper(), HOME)


def test_from_one_address_many_logins_end_too(attempts: Attempts) -> None:
    assert sum(left(attempts, f"nobody-{number}") for number in range(20)) == 100
    assert attempts.are_left(Kind.CUSTOMER, LOGIN, "192.0.2.2")


@pytest.mark.parametrize(
    ("address", "as_what"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("2001:0DB8:0:1::", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_address_counts_as_the_network_of_a_household(address: str, as_what: str) -> None:
    assert counted(address) == as_what
