"""The tree: who is seen by whom, and what becomes of those who are blocked or deleted."""

import urllib.error

import pytest
from harness import unique
from sippy import new

MISSING = 2_000_000_000


@pytest.fixture
def family(customers):
    """A wholesaler, his reseller, and the reseller's customer."""
    top = customers.reseller()
    middle = customers.reseller(top)
    return top, middle, customers.make(middle)


def calls_on(api, i_customer):
    return {
        "getCustomerInfo": lambda: api.getCustomerInfo(i_customer=i_customer),
        "updateCustomer": lambda: api.updateCustomer(i_customer=i_customer, city="Berlin"),
        "deleteCustomer": lambda: api.deleteCustomer(i_customer=i_customer),
        "blockCustomer": lambda: api.blockCustomer(i_customer=i_customer),
        "unblockCustomer": lambda: api.unblockCustomer(i_customer=i_customer),
    }


ON_ONE = ("getCustomerInfo", "updateCustomer", "deleteCustomer", "blockCustomer", "unblockCustomer")
DIRECT = ("getCustomerInfo", "updateCustomer", "deleteCustomer")


def test_a_new_customer_belongs_to_the_caller(reseller, customers):
    assert reseller.info(customers.make(reseller))["i_wholesaler"] == reseller.i_customer


@pytest.mark.parametrize("method", ON_ONE)
def test_foreign_and_missing_customers_are_the_same_404(customers, reseller, refused, method):
    foreign = customers.make(customers.reseller())

    for i_customer in (foreign, MISSING, 1):
        with refused(404, "Customer not found"):
            calls_on(reseller, i_customer)[method]()


@pytest.mark.parametrize("method", ON_ONE)
def test_nobody_sees_above_himself(family, refused, method):
    top, middle, _ = family

    with refused(404, "Customer not found"):
        calls_on(middle, top.i_customer)[method]()


@pytest.mark.parametrize("method", DIRECT)
def test_grandchildren_are_out_of_direct_reach(family, refused, method):
    top, _, bottom = family

    with refused(404, "Customer not found"):
        calls_on(top, bottom)[method]()


@pytest.mark.parametrize("method", ["updateCustomer", "deleteCustomer", "blockCustomer"])
def test_nobody_changes_himself(reseller, refused, method):
    with refused(404, "Customer not found"):
        calls_on(reseller, reseller.i_customer)[method]()


def test_everybody_reads_himself(reseller):
    assert reseller.info(reseller.i_customer)["i_customer"] == reseller.i_customer
    assert reseller.getCustomerInfo(name=reseller.login)["customer"]["i_customer"] == reseller.i_customer


@pytest.mark.parametrize("key", ["i_customer", "name"])
def test_a_customer_is_found_by_name(reseller, customers, key):
    name = unique("näme <1>")
    i_customer = customers.make(reseller, name=name)

    assert reseller.getCustomerInfo(**{key: name})["customer"]["i_customer"] == i_customer


def test_an_id_may_come_as_a_string(reseller, customers):
    i_customer = customers.make(reseller)

    assert reseller.getCustomerInfo(i_customer=str(i_customer))["customer"]["i_customer"] == i_customer
    assert reseller.updateCustomer(i_customer=str(i_customer), city="Berlin") == {"result": "OK"}


def test_id_or_name_is_required(reseller, refused):
    for params in ({}, {"i_customer": ""}, {"i_customer": None}):
        with refused(400, "Parameter i_customer is required"):
            reseller.getCustomerInfo(**params)


class TestListing:
    def test_holds_the_seven_members_of_direct_customers(self, reseller, customers):
        i_customer = customers.make(reseller, description="Main office", balance=3, credit_limit=4)
        customers.make(customers.reseller(reseller))

        listed = reseller.listCustomers()["customers"]

        assert listed[0] == {
            "i_customer": i_customer,
            "name": listed[0]["name"],
            "web_login": listed[0]["name"],
            "description": "Main office",
            "balance": 3.0,
            "credit_limit": 4.0,
            "base_currency": "USD",
        }
        assert len(listed) == 2

    def test_is_an_array_even_when_empty(self, reseller):
        assert reseller.listCustomers() == {"result": "OK", "customers": []}

    def test_pages_are_stable_and_complete(self, reseller, customers):
        made = [customers.make(reseller) for _ in range(7)]

        pages = [reseller.listCustomers(offset=start, limit=3)["customers"] for start in (0, 3, 6, 9)]

        assert [[c["i_customer"] for c in page] for page in pages] == [made[:3], made[3:6], made[6:], []]

    def test_takes_no_parameters_at_all(self, reseller):
        assert reseller.proxy.listCustomers() == {"result": "OK", "customers": []}

    @pytest.mark.parametrize("name", ["offset", "limit"])
    def test_refuses_negative_numbers(self, reseller, refused, name):
        with refused(400):
            reseller.listCustomers(**{name: -1})

    def test_never_drops_rows_silently(self, variant, reseller, customers, refused):
        for _ in range(3):
            customers.make(reseller)
        small = variant(list_limit=2).api(reseller.login, reseller.password)

        with refused(400, "Parameter limit is required: there are more than 2 rows"):
            small.listCustomers()
        with refused(400, "Parameter limit must not be greater than 2"):
            small.listCustomers(limit=3)
        assert len(small.listCustomers(limit=2)["customers"]) == 2

    def test_more_may_be_asked_for_than_there_are(self, variant, reseller, customers):
        """Clients that want all say 100000."""
        made = [customers.make(reseller) for _ in range(3)]
        small = variant(list_limit=3).api(reseller.login, reseller.password)

        rows = small.listCustomers(limit=100_000)["customers"]
        assert [row["i_customer"] for row in rows] == made
        assert len(small.listCustomers(offset=1, limit=2**31 - 1)["customers"]) == 2


class TestBlocking:
    def test_reaches_any_depth_below(self, family):
        top, middle, bottom = family

        assert top.blockCustomer(i_customer=bottom) == {"result": "OK"}
        assert middle.info(bottom)["blocked"] is True
        assert top.unblockCustomer(i_customer=bottom) == {"result": "OK"}
        assert middle.info(bottom)["blocked"] is False

    def test_twice_is_no_error(self, reseller, customers):
        i_customer = customers.make(reseller)

        for _ in range(2):
            assert reseller.blockCustomer(i_customer=i_customer) == {"result": "OK"}

    def test_shuts_out_the_customer_and_everybody_below(self, root, family):
        top, middle, _ = family

        root.blockCustomer(i_customer=top.i_customer)

        for api in (top, middle):
            with pytest.raises(urllib.error.HTTPError, match="401"):
                api.listCustomers()

    def test_ends_with_unblocking(self, root, family):
        top, middle, _ = family
        root.blockCustomer(i_customer=top.i_customer)

        root.unblockCustomer(i_customer=top.i_customer)

        assert middle.listCustomers()["result"] == "OK"


class TestDeletion:
    def test_removes_customer_and_login(self, reseller, customers, refused):
        name = unique()
        i_customer = customers.make(reseller, name=name)

        assert reseller.deleteCustomer(i_customer=i_customer) == {"result": "OK"}

        with refused(404, "Customer not found"):
            reseller.getCustomerInfo(i_customer=i_customer)
        assert customers.make(reseller, name=name)

    def test_never_uses_an_id_again(self, reseller, customers):
        i_customer = customers.make(reseller)
        reseller.deleteCustomer(i_customer=i_customer)

        assert customers.make(reseller) > i_customer

    def test_is_refused_while_there_are_sub_customers(self, family, refused):
        top, middle, _ = family

        with refused(409, "Customer still has sub-customers"):
            top.deleteCustomer(i_customer=middle.i_customer)

    @pytest.mark.parametrize("balance", [0.000001, -0.5])
    def test_is_refused_while_there_is_money(self, reseller, customers, refused, balance):
        i_customer = customers.make(reseller, credit_limit=1, balance=balance)

        with refused(409):
            reseller.deleteCustomer(i_customer=i_customer)

    def test_is_refused_while_he_is_somebodys_commission_agent(self, reseller, customers, refused):
        agent = customers.make(reseller)
        customers.make(reseller, i_commission_agent=agent)

        with refused(409, "Customer is still in use by 1 customer (i_commission_agent)"):
            reseller.deleteCustomer(i_customer=agent)

    def test_that_is_refused_tells_all_that_is_still_there(self, server, reseller, customers, refused):
        owner = customers.reseller(reseller)
        customers.make(reseller, i_commission_agent=owner.i_customer)
        for _ in range(2):
            owner.createAccount(**new())

        with refused(409, "Customer is still in use by 2 accounts (i_customer) and 1 customer (i_commission_agent)"):
            reseller.deleteCustomer(i_customer=owner.i_customer)
        assert reseller.info(owner.i_customer)["name"]

    def test_keeps_the_ledger(self, server, reseller, customers):
        i_customer = customers.make(reseller, balance=5)
        reseller.updateCustomer(i_customer=i_customer, balance=0)

        reseller.deleteCustomer(i_customer=i_customer)

        kept = server.sql(
            "SELECT count(*) FROM ledger JOIN balances USING (i_balance) WHERE i_customer = :c", c=i_customer
        )
        assert kept[0][0] == 2


class TestUniqueness:
    def test_a_name_is_taken_once(self, reseller, customers, refused):
        name = unique()
        customers.make(reseller, name=name)

        with refused(409, "Parameter name is already taken"):
            customers.make(customers.reseller(), name=name, web_login=unique())

    @pytest.mark.parametrize("change", [str, str.upper])
    def test_a_login_is_taken_once_whatever_its_case(self, reseller, customers, refused, change):
        login = unique("straße")
        customers.make(reseller, web_login=login)

        with refused(409, "Parameter web_login is already taken"):
            customers.make(reseller, web_login=change(login))

    def test_a_refused_change_leaves_everything_as_it_was(self, reseller, customers, refused):
        taken, i_customer = unique(), customers.make(reseller, city="Bonn")
        customers.make(reseller, name=taken)

        with refused(409):
            reseller.updateCustomer(i_customer=i_customer, city="Berlin", balance=5, name=taken)

        assert reseller.info(i_customer)["city"] == "Bonn"
        assert reseller.info(i_customer)["balance"] == 0
