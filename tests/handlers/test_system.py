"""Introspection: what the server says of itself is what it does."""

import json
from pathlib import Path
from typing import Any

import pytest
from faces import Api

from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.dialects.switch import METHODS

pytestmark = pytest.mark.one_engine

DOCUMENTED = sorted(json.loads((Path(__file__).parents[1] / "api.lock.json").read_text())["methods"])


def test_list_methods_tells_the_documented_list(root: Api) -> None:
    assert root.proxy.system.listMethods() == DOCUMENTED


@pytest.mark.parametrize("name", DOCUMENTED)
def test_help_names_every_parameter_and_every_member_of_the_answer(root: Api, name: str) -> None:
    text = root.proxy.system.methodHelp(name)

    method = METHODS[name]
    returns = method.returns if isinstance(method.returns, tuple) else ()
    for field in (*method.documented_params, *returns):
        assert f"  {field.name} ({field.type_name}" in text


def test_signature_of_a_method_with_required_parameters_is_a_struct_of_them(root: Api) -> None:
    assert root.proxy.system.methodSignature("createCustomer") == [["struct", "struct"]]


def test_signature_of_a_method_that_needs_nothing_tells_that_it_may_be_left_out(root: Api) -> None:
    assert root.proxy.system.methodSignature("listCustomers") == [["struct", "struct"], ["struct"]]


def test_signature_of_the_system_methods_is_positional(root: Api) -> None:
    assert root.proxy.system.methodSignature("system.methodHelp") == [["string", "string"]]
    assert root.proxy.system.methodSignature("system.multicall") == [["array", "array"]]


@pytest.mark.parametrize("name", ["createCustomer", "listCustomers", "system.listMethods"])
def test_every_form_that_the_signature_tells_is_accepted(root: Api, refused: Any, name: str) -> None:
    samples = {"struct": {}, "string": "createCustomer", "array": []}
    for _answer, *kinds in root.proxy.system.methodSignature(name):
        call = getattr(root.proxy, name)
        if name == "createCustomer":
            with refused(BadParameter.code, "Parameter name is required"):
                call(*(samples[kind] for kind in kinds))
        else:
            call(*(samples[kind] for kind in kinds))


@pytest.mark.parametrize("method", ["methodHelp", "methodSignature"])
def test_a_name_that_is_no_method_is_refused(root: Api, refused: Any, method: str) -> None:
    with refused(BadParameter.code, "Parameter methodName is not the name of a method"):
        getattr(root.proxy.system, method)("dropTables")
