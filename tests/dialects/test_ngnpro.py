"""What NGNPro's clients are told: the codes that they compare, and their words in our texts."""

import pytest

from models import Account, Base, Customer, SipDomain
from xmlrpc_api.declaration import faults
from xmlrpc_api.declaration.faults import (
    AuthenticationFailed,
    BadParameter,
    Conflict,
    Fault,
    InternalError,
    InvalidCharacter,
    InvalidRequest,
    Kind,
    MethodNotFound,
    NoMinutePlan,
    NotEnoughCredit,
    NotFound,
    NothingToChange,
    NotPermitted,
    NotWellFormed,
    OneTimePasswordAccepted,
    PostRequired,
    TooManyAttempts,
    Unavailable,
    UnsupportedEncoding,
    WrongReference,
    WrongType,
)
from xmlrpc_api.dialects.ngnpro import CODES_OF_THINGS, code_of, words_of

FAULTS: list[tuple[Fault, int]] = [
    (AuthenticationFailed(), 901),
    (BadParameter("balance", "is out of range"), 101),
    (BadParameter.required("balance"), 102),
    (Conflict("Customer has changed meanwhile"), 5002),
    (InternalError("1"), 200),
    (InvalidCharacter(), 1),
    (InvalidRequest("The document is not a call"), 1),
    (MethodNotFound(), 900),
    (NoMinutePlan(), 1),
    (NotEnoughCredit(), 1402),
    (NothingToChange(), 102),
    (NothingToChange("nme"), 102),
    (NotPermitted("no"), 902),
    (NotWellFormed(), 1),
    (OneTimePasswordAccepted(), 1),
    (PostRequired(), 1),
    (TooManyAttempts(), 1429),
    (Unavailable(), 201),
    (UnsupportedEncoding(), 1),
    (WrongReference("i_lang"), 101),
    (WrongType("no struct"), 100),
]
MODELS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__name__)
MISSING = {
    "SIP domain": 1000,
    "Account": 1010,
    "SIP alias": 1020,
    "Group": 1031,
    "Voucher": 1050,
    "Customer": 5000,
}
TAKEN = {"SIP domain": 1001, "Account": 1011, "SIP alias": 1021, "Group": 1030, "Customer": 5001, "Web user": 5001}


@pytest.mark.parametrize(("fault", "code"), FAULTS, ids=lambda given: type(given).__name__)
def test_a_fault_has_its_code(fault: Fault, code: int) -> None:
    assert code_of(fault) == code


def test_every_fault_is_tried() -> None:
    known = {one for one in vars(faults).values() if isinstance(one, type) and issubclass(one, Fault)}

    assert known - {type(fault) for fault, _ in FAULTS} == {Fault, NotFound}


@pytest.mark.parametrize("thing", MODELS, ids=lambda model: model.__name__)
def test_so_it_has_with_whatever_it_is_about(thing: type[Base]) -> None:
    assert code_of(NotFound(thing)) == MISSING.get(thing.thing, 1)
    assert code_of(Conflict.taken(thing, "x")) == TAKEN.get(thing.thing, 5002)
    assert code_of(Conflict("x is still in use", kind=Kind.IN_USE, thing=thing)) == 5002


def test_those_are_all_codes_of_things() -> None:
    assert sorted(CODES_OF_THINGS.values()) == sorted([*MISSING.values(), *TAKEN.values()])


TEXTS: dict[str, tuple[str, Fault]] = {
    "Parameter language is required": ("CustomerPort.addAccount", BadParameter.required("i_lang")),
    "Wrong language": ("CustomerPort.updateAccount", WrongReference("i_lang")),
    "Parameter username is already taken": ("CustomerPort.addAccount", Conflict.taken(Customer, "name")),
    "Parameter credit must be a number": (
        "CustomerPort.updateAccount",
        WrongType.of("credit_limit", "must be a number"),
    ),
    "Parameter i_lang is required": ("CustomerPort.getAccount", BadParameter.required("i_lang")),
    "Parameter timeout is out of range": ("SipPort.updateAccount", BadParameter("vm_timeout", "is out of range")),
    "SIP account not found": ("SipPort.getAccount", NotFound(Account)),
    "SIP domain not found": ("SipPort.addAccount", NotFound(SipDomain)),
    "Customer not found": ("SipPort.addAlias", NotFound(Customer)),
    "Parameter domain is already taken": ("SipPort.addDomain", Conflict.taken(SipDomain, "domain")),
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_speak_of_what_it_knows(text: str) -> None:
    operation, fault = TEXTS[text]

    assert fault.told(words_of(operation)) == text


def test_what_is_quoted_is_not_translated() -> None:
    """Only a name that the fault tells as one is; what a client has sent stays what it is."""
    fault = Conflict("Customer is still in use by 1 account (i_lang)")

    assert fault.told(words_of("CustomerPort.updateAccount")) == fault.text
