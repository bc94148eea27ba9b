"""`call` and `methods`."""

import json
from importlib.metadata import version

import pytest
from commandline import CommandLine


@pytest.fixture(scope="module")
def served(tmp_path_factory, new_database):
    """An installation with a running server."""
    cli = CommandLine(tmp_path_factory.mktemp("cli"), new_database("sqlite"))
    cli.init()
    with cli.serving():
        yield cli


def test_words_are_strings_and_json_is_json(served):
    created = served.run(
        "call", "createCustomer", "name=acme", "web_password=s3cret", "i_tariff:=null", "credit_limit:=0.1"
    )
    i_customer = json.loads(created.stdout)["i_customer"]

    info = served.run("call", "getCustomerInfo", f"i_customer={i_customer}").stdout

    assert '"credit_limit": 0.1' in info
    assert json.loads(info)["customer"]["name"] == "acme"


def test_a_minus_reads_standard_input(served):
    assert json.loads(served.run("call", "listCustomers", "-", stdin='{"limit": 0}').stdout)["customers"] == []


def test_bare_words_are_positional(served):
    assert "Create a customer" in served.run("call", "system.methodHelp", "createCustomer").stdout


def test_a_fault_goes_to_standard_error_with_exit_code_1(served):
    done = served.run("call", "getCustomerInfo", "i_customer:=999999", code=1)

    assert done.stdout == ""
    assert done.stderr.strip() == "fault 404: Customer not found"


def test_wrong_credentials_are_told_with_exit_code_3(served):
    done = served.run("call", "listCustomers", code=3, XMLRPC_API_PASSWORD="wrong")

    assert "refused the credentials" in done.stderr


def test_no_server_is_told_with_exit_code_3(served):
    done = served.run("call", "--url", "http://127.0.0.1:1/xmlapi/xmlapi", "listCustomers", code=3)

    assert "Is the server running?" in done.stderr


def test_bad_json_is_told(served):
    assert "is not JSON" in served.run("call", "listCustomers", "limit:=ten", code=2).stderr


def test_methods_lists_all_with_what_they_do(served):
    listed = served.run("methods").stdout

    assert "createCustomer" in listed
    assert "List the direct sub-customers" in listed


def test_methods_shows_one_with_parameters_and_faults(served):
    shown = served.run("methods", "createCustomer").stdout

    assert "i_tariff (int or nil, required)" in shown
    assert "403" in shown


def test_methods_tells_of_an_unknown_name(served):
    assert "There is no method nothing" in served.run("methods", "nothing", code=1).stderr


def test_methods_tells_programs_all_of_it_as_json(served):
    known = json.loads(served.run("methods", "--json").stdout)
    one = json.loads(served.run("methods", "createCustomer", "--json").stdout)

    assert one in known
    tariff = next(param for param in one["params"] if param["name"] == "i_tariff")
    assert (tariff["type"], tariff["required"]) == ("int or nil", True)


def test_version_is_that_of_the_package(served):
    assert served.run("--version").stdout == f"xmlrpc-api {version('xmlrpc-api')}\n"


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["init"], ["migrate"], ["call"], ["methods"], ["check"], ["customers", "import"]]
)
def test_help_is_there_for_every_command(served, command):
    assert "Usage" in served.run(*command, "--help").stdout
