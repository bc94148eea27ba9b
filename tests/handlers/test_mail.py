"""Mail: sendEMail, and the outbox behind it, with a real mail server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Customers, Reseller
from harness import Clock, Installed, Server, serving, unique, until
from post_office import PostOffice, post_office

from xmlrpc_api.declaration.faults import BadParameter, NotPermitted
from xmlrpc_api.services.mail.delivery import MOST_ATTEMPTS

pytestmark = pytest.mark.one_engine

MAIL = {
    "from": "billing@example.com",
    "to": "ada@example.com; bob@example.com",
    "cc": "carol@example.com",
    "bcc": "dan@example.com",
    "subject": "Größe ☃",
    "body": "Sehr geehrte Ada,\n.\nbis bald ☃\n",
}
EVERYBODY = ["ada@example.com", "bob@example.com", "carol@example.com", "dan@example.com"]
WAITING = "SELECT attempts, recipients, problem FROM mails WHERE i_customer = :i AND due IS NOT NULL"
DONE = "SELECT attempts, recipients, problem, sent, content FROM mails WHERE i_customer = :i AND due IS NULL"


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


@pytest.fixture(autouse=True)
def _open(office: PostOffice) -> None:
    office.answers.clear()


@pytest.fixture(scope="module")
def mailing(engine: str, installed: Callable[[str], Installed], office: PostOffice) -> Iterator[Server]:
    """A server that has a mail server."""
    with serving(installed(engine), **office.settings, mail_from="Switch <switch@example.com>") as running:
        yield running


@pytest.fixture
def clock(mailing: Server) -> Clock:
    return mailing.stop_clock()


@pytest.fixture
def sender(mailing: Server) -> Reseller:
    made = Customers(mailing).reseller()
    mail_from = f'"Acme Ö" <{own(made).replace("b", "B", 1)}>'
    mailing.api().updateCustomer(i_customer=made.i_customer, mail_from=mail_from)
    return made


def own(sender: Reseller) -> str:
    """An address that nobody else has, on no engine."""
    return f"billing-{sender.login}@example.com"


def write(sender: Reseller, **parts: str) -> dict[str, Any]:
    answer: dict[str, Any] = sender.sendEMail(**{**MAIL, "from": own(sender), **parts})
    return answer


def done(server: Server, sender: Reseller) -> list[Any]:
    return server.sql(DONE, i=sender.i_customer)


def test_a_mail_arrives_as_it_was_written(mailing: Server, sender: Reseller, office: PostOffice) -> None:
    assert write(sender) == {"result": "OK"}

    until(lambda: done(mailing, sender))
    ((envelope, recipients, message),) = office.taken_from(own(sender))
    assert (envelope, recipients) == (own(sender).replace("b", "B", 1), EVERYBODY)
    assert message.get_content().replace("\r\n", "\n") == MAIL["body"]
    headers = {name: str(message[name]) for name in ("From", "To", "Cc", "Bcc", "Subject")}
    assert headers == {
        "From": f"Acme Ö <{envelope}>",
        "To": "ada@example.com, bob@example.com",
        "Cc": "carol@example.com",
        "Bcc": "None",
        "Subject": "Größe ☃",
    }


def test_what_is_sent_is_kept_no_longer_and_told_without_its_text(mailing: Server, sender: Reseller) -> None:
    write(sender, body="Nobody else reads this")

    until(lambda: done(mailing, sender))
    ((attempts, recipients, problem, sent, content),) = done(mailing, sender)
    assert (attempts, recipients, problem, content) == (1, "[]", None, None)
    assert sent is not None
    (row,) = sender.getAuditLogs(action="MAIL")["records"]
    assert row["method"] == "sendEMail"
    assert "Nobody else" not in repr(row)
    assert "dan@example.com" in repr(row)


@pytest.mark.parametrize(
    ("part", "injected"),
    [
        ("from", "billing@example.com\r\nBcc: eve@example.com"),
        ("from", "A\r\nBcc: eve@example.com\r\nX: <billing@example.com>"),
        ("to", "ada@example.com\r\nBcc: eve@example.com"),
        ("to", "ada@example.com>, <eve@example.com\n"),
        ("cc", "a@example.com\n\nbody"),
        ("bcc", '"a\r\n"@example.com'),
        ("subject", "Hi\r\nBcc: eve@example.com"),
        ("subject", "Hi\nContent-Type: text/html"),
        ("subject", "Hi\u2028there"),
    ],
)
def test_no_line_becomes_a_header(sender: Reseller, refused: Any, part: str, injected: str) -> None:
    with refused(BadParameter.code):
        write(sender, **{part: injected})


def test_the_text_of_a_mail_is_no_header_and_no_end(mailing: Server, sender: Reseller, office: PostOffice) -> None:
    body = "\r\n.\r\nMAIL FROM:<eve@example.com>\r\n.\n" + "x" * 5000 + "\nBcc: eve@example.com\n"

    write(sender, body=body)

    until(lambda: done(mailing, sender))
    ((_, recipients, message),) = office.taken_from(own(sender))
    assert recipients == EVERYBODY
    assert message.get_content().replace("\r\n", "\n") == body.replace("\r\n", "\n")


@pytest.mark.parametrize("other", ["eve@example.com", "", "Acme <billing@example.org>"])
def test_it_is_ones_own_address_alone(sender: Reseller, refused: Any, other: str) -> None:
    with refused(BadParameter.code):
        write(sender, **{"from": other})


def test_the_address_of_the_settings_is_the_roots(mailing: Server, refused: Any) -> None:
    nobody = Customers(mailing).reseller()
    mail = {**MAIL, "from": "switch@example.com"}

    mailing.api().sendEMail(**mail)

    with refused(BadParameter.code, "Parameter from must be your own mail_from"):
        nobody.sendEMail(**mail)


def test_it_takes_the_right(mailing: Server, refused: Any) -> None:
    without = Customers(mailing).reseller(mail_from="billing@example.com", system_mgmt=0)

    with refused(NotPermitted.code, "Not permitted: system_mgmt is missing"):
        without.sendEMail(**MAIL)


@pytest.mark.parametrize("to", ["", " ; ", "ada", "ä@example.com", ";".join(f"a{n}@b.example" for n in range(21))])
def test_who_cannot_be_written_to_is_told(sender: Reseller, refused: Any, to: str) -> None:
    with refused(BadParameter.code):
        write(sender, to=to)


@pytest.mark.each_engine
def test_two_hundred_a_day_are_enough(mailing: Server, sender: Reseller, clock: Clock, refused: Any) -> None:
    statement = (
        "INSERT INTO mails (i_customer, kind, created, sender, recipients, attempts) "
        "SELECT :i, 'sendEMail', :now, 'a', '[]', 1 FROM time_zones LIMIT 199"
    )
    mailing.sql(statement, i=sender.i_customer, now=clock.now)
    write(sender)

    with refused(NotPermitted.code, "Not permitted: more than 200 mails of this kind in 24 hours"):
        write(sender)
    clock.move(86400)
    assert write(sender) == {"result": "OK"}


@pytest.mark.each_engine
class TestTriedAgain:
    def test_what_is_not_taken_is_tried_later_and_later(
        self, mailing: Server, sender: Reseller, office: PostOffice, clock: Clock
    ) -> None:
        office.answers["DATA"] = "451 Come back later"
        write(sender)
        until(lambda: mailing.sql(f"{WAITING} AND problem IS NOT NULL", i=sender.i_customer))
        assert mailing.sql(WAITING, i=sender.i_customer)[0].problem == "451 Come back later"

        office.answers.clear()
        clock.move(61)

        until(lambda: done(mailing, sender))
        assert done(mailing, sender)[0].attempts == 2
        assert len(office.taken_from(own(sender))) == 1

    def test_who_has_it_does_not_get_it_again(
        self, mailing: Server, sender: Reseller, office: PostOffice, clock: Clock
    ) -> None:
        office.answers |= {"carol@example.com": "450 Busy", "dan@example.com": "550 Unknown"}
        write(sender)
        until(lambda: mailing.sql(f"{WAITING} AND problem IS NOT NULL", i=sender.i_customer))

        office.answers.clear()
        clock.move(61)

        until(lambda: done(mailing, sender))
        assert [recipients for _, recipients, _ in office.taken_from(own(sender))] == [
            EVERYBODY[:2],
            ["carol@example.com"],
        ]
        assert len({message["Message-ID"] for _, _, message in office.taken_from(own(sender))}) == 1

    def test_no_for_good_is_no(self, mailing: Server, sender: Reseller, office: PostOffice) -> None:
        office.answers |= dict.fromkeys(EVERYBODY, "550 Unknown")

        write(sender)

        until(lambda: done(mailing, sender))
        ((attempts, _, problem, sent, content),) = done(mailing, sender)
        assert (attempts, sent, content) == (1, None, None)
        assert problem.startswith("ada@example.com: 550 Unknown")

    def test_it_is_given_up_at_last(self, mailing: Server, sender: Reseller, office: PostOffice, clock: Clock) -> None:
        office.answers["DATA"] = "451 Never"
        write(sender)

        until(lambda: clock.move(6 * 3600 + 1) or done(mailing, sender))
        ((attempts, recipients, problem, sent, content),) = done(mailing, sender)
        assert (attempts, recipients, problem, sent, content) == (MOST_ATTEMPTS, recipients, "451 Never", None, None)

    def test_what_somebody_was_at_who_died_is_sent_by_another(
        self, mailing: Server, sender: Reseller, office: PostOffice, clock: Clock
    ) -> None:
        """A process has taken it, and is heard of no more."""
        office.answers["DATA"] = "451 Not yet"
        write(sender)
        until(lambda: mailing.sql(f"{WAITING} AND problem IS NOT NULL", i=sender.i_customer))
        office.answers.clear()
        mailing.sql("UPDATE mails SET attempts = attempts + 1 WHERE i_customer = :i", i=sender.i_customer)

        clock.move(15 * 60 + 1)

        until(lambda: done(mailing, sender))
        assert len(office.taken_from(own(sender))) == 1


def test_a_call_that_fails_sends_nothing(mailing: Server, sender: Reseller, office: PostOffice, refused: Any) -> None:
    with refused(BadParameter.code):
        write(sender, to="ada@example.com, ?")

    assert mailing.sql("SELECT 1 FROM mails WHERE i_customer = :i", i=sender.i_customer) == []
    assert office.taken_from(own(sender)) == []


def test_the_same_key_sends_one(mailing: Server, sender: Reseller, office: PostOffice) -> None:
    key = unique("key")

    for _ in range(2):
        write(sender, idempotency_key=key)

    until(lambda: done(mailing, sender))
    assert len(done(mailing, sender)) == 1


def test_without_a_mail_server_nothing_is_promised(customers: Customers, refused: Any) -> None:
    sender = customers.reseller(mail_from="billing@example.com")

    with refused(NotPermitted.code, "Not permitted: no mail is sent here: there is no smtp_host in the settings"):
        sender.sendEMail(**MAIL)


def test_mails_go_with_their_customer(mailing: Server, sender: Reseller) -> None:
    write(sender)

    mailing.api().deleteCustomer(i_customer=sender.i_customer)

    assert mailing.sql("SELECT 1 FROM mails WHERE i_customer = :i", i=sender.i_customer) == []
