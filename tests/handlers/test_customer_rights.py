"""Management rights: who may add, edit and delete, and what can be handed down."""

import pytest
from harness import unique

ADD, EDIT, DELETE = 1, 2, 4
BITMASKS = ("accounts_mgmt", "customers_mgmt", "tariffs_mgmt", "vouchers_mgmt")
FLAGS = ("system_mgmt", "api_mgmt", "use_own_tariff")


@pytest.mark.one_engine
@pytest.mark.parametrize("mask", range(8))
class TestManagementBits:
    def test_add_needs_bit_0(self, customers, refused, mask):
        caller = customers.reseller(customers_mgmt=mask)

        if mask & ADD:
            assert customers.make(caller)
        else:
            with refused(403, "Not permitted: bit 0 (add) of customers_mgmt is missing"):
                customers.make(caller)

    def test_edit_needs_bit_1(self, root, customers, refused, mask):
        caller, child = self.with_child(root, customers, mask)
        text = "Not permitted: bit 1 (edit) of customers_mgmt is missing"

        for change in (
            lambda: caller.updateCustomer(i_customer=child, city="Berlin"),
            lambda: caller.blockCustomer(i_customer=child),
            lambda: caller.unblockCustomer(i_customer=child),
        ):
            if mask & EDIT:
                assert change() == {"result": "OK"}
            else:
                with refused(403, text):
                    change()

    def test_delete_needs_bit_2(self, root, customers, refused, mask):
        caller, child = self.with_child(root, customers, mask)

        if mask & DELETE:
            assert caller.deleteCustomer(i_customer=child) == {"result": "OK"}
        else:
            with refused(403, "Not permitted: bit 2 (delete) of customers_mgmt is missing"):
                caller.deleteCustomer(i_customer=child)

    def test_credentials_of_others_are_edits_whatever_sets_them(self, root, customers, refused, mask):
        """Who may not set a password may not make one that lets him in and sets it, either."""
        caller, child = self.with_child(root, customers, mask)
        login = caller.info(child)["web_login"]
        text = "Not permitted: bit 1 (edit) of customers_mgmt is missing"

        for change in (
            lambda: caller.updateCustomer(i_customer=child, web_password="An-0ther"),
            lambda: caller.resetCustomerOneTimePassword(web_login=login),
            lambda: caller.createWebUser(i_customer=child, web_login=unique("user"), web_password="An-0ther"),
            lambda: caller.enableSecondFactor(web_login=login),
            lambda: caller.disableSecondFactor(web_login=login),
        ):
            if mask & EDIT:
                assert change()["result"] == "OK"
            else:
                with refused(403, text):
                    change()

    def test_credentials_of_ones_own_customer_need_no_bit(self, root, customers, mask):
        caller, _ = self.with_child(root, customers, mask)
        user = unique("user")

        caller.createWebUser(web_login=user, web_password="An-0ther")

        for login in (caller.login, user):
            password = caller.resetCustomerOneTimePassword(web_login=login)["password"]
            proof = {"one_time_password": password}
            changed = caller.changeWebPassword(web_login=login, new_password="Yet-An-0ther", **proof)
            assert changed["result"] == "OK"

    def test_to_change_a_password_for_its_proof_needs_no_bit(self, root, customers, mask):
        caller, child = self.with_child(root, customers, mask)
        login = caller.info(child)["web_login"]
        one_time = root.resetCustomerOneTimePassword(web_login=login)["password"]

        caller.changeWebPassword(web_login=login, one_time_password=one_time, new_password="An-0ther")
        changed = caller.changeWebPassword(web_login=login, old_password="An-0ther", new_password="Yet-An-0ther")

        assert changed["result"] == "OK"

    def test_reading_needs_no_bit(self, root, customers, mask):
        caller, child = self.with_child(root, customers, mask)

        assert caller.info(child)["i_customer"] == child
        assert [c["i_customer"] for c in caller.listCustomers()["customers"]] == [child]

    def with_child(self, root, customers, mask):
        caller = customers.reseller(customers_mgmt=7)
        child = customers.make(caller)
        root.updateCustomer(i_customer=caller.i_customer, customers_mgmt=mask)
        return caller, child


@pytest.mark.one_engine
@pytest.mark.parametrize("name", BITMASKS)
@pytest.mark.parametrize("own", range(8))
def test_nobody_grants_a_bit_that_he_lacks(root, customers, refused, name, own):
    caller = customers.reseller()
    if name != "customers_mgmt":
        root.updateCustomer(i_customer=caller.i_customer, **{name: own})
    else:
        own |= ADD
        root.updateCustomer(i_customer=caller.i_customer, **{name: own})

    for given in range(8):
        if given & ~own:
            with refused(403, f"Not permitted: {name} {given} exceeds your own {own}"):
                customers.make(caller, **{name: given})
        else:
            assert caller.info(customers.make(caller, **{name: given}))[name] == given


@pytest.mark.one_engine
@pytest.mark.parametrize("name", FLAGS)
def test_nobody_grants_a_flag_that_he_lacks(customers, refused, name):
    settings = {} if name == "use_own_tariff" else {"i_tariff": None}
    caller = customers.reseller(**{"api_mgmt": 0, "system_mgmt": 0, "use_own_tariff": 1, name: 0})
    if name == "use_own_tariff":
        settings = {"i_tariff": customers.tariff(caller)}

    with refused(403, f"Not permitted: {name} is not yours to give"):
        customers.make(caller, **{**settings, name: 1})
    assert customers.make(caller, **{**settings, name: 0})


@pytest.mark.one_engine
@pytest.mark.parametrize("name", FLAGS)
def test_an_update_cannot_grant_a_flag_either(root, customers, refused, name):
    caller = customers.reseller()
    child = customers.make(caller, api_mgmt=0, system_mgmt=0, use_own_tariff=0)
    root.updateCustomer(i_customer=caller.i_customer, **{name: 0})

    with refused(403, f"Not permitted: {name} is not yours to give"):
        caller.updateCustomer(i_customer=child, **{name: 1})
    assert caller.info(child)[name] == 0


@pytest.mark.one_engine
@pytest.mark.parametrize("setting", [{"api_access": 1}, {"api_password": "s3cret"}])
def test_api_access_is_given_with_api_mgmt_only(root, customers, refused, setting):
    caller = customers.reseller(api_mgmt=0)
    child = customers.make(caller)
    name = next(iter(setting))

    for call in (
        lambda: customers.make(caller, **setting),
        lambda: caller.updateCustomer(i_customer=child, **setting),
    ):
        with refused(403, f"Not permitted: {name} can be set by a caller with api_mgmt only"):
            call()


def test_keeping_api_access_as_it_is_needs_no_api_mgmt(root, customers):
    caller = customers.reseller()
    child = customers.make(caller, api_access=1)
    root.updateCustomer(i_customer=caller.i_customer, api_mgmt=0)

    assert caller.updateCustomer(i_customer=child, api_access=1, city="Berlin") == {"result": "OK"}
    assert caller.info(customers.make(caller, api_access=0))["api_access"] == 0


@pytest.mark.parametrize("name", BITMASKS)
def test_a_bit_taken_away_is_taken_away_below(root, customers, name):
    top = customers.reseller()
    middle = customers.reseller(top)
    bottom = customers.make(middle, **{name: 7})

    root.updateCustomer(i_customer=top.i_customer, **{name: 5})

    assert root.info(top.i_customer)[name] == 5
    assert top.info(middle.i_customer)[name] == 5
    assert middle.info(bottom)[name] == 5


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_taken_away_is_taken_away_below(root, customers, name):
    top = customers.reseller()
    middle = customers.reseller(top)
    bottom = customers.make(middle, **{name: 1})

    root.updateCustomer(i_customer=top.i_customer, **{name: 0})

    assert middle.info(bottom)[name] == 0
    assert top.info(middle.i_customer)[name] == 0


def test_what_is_taken_from_one_stays_with_his_siblings(root, customers):
    one, other = customers.reseller(), customers.reseller()
    child = customers.make(other, customers_mgmt=7)

    root.updateCustomer(i_customer=one.i_customer, customers_mgmt=0)

    assert root.info(other.i_customer)["customers_mgmt"] == 7
    assert other.info(child)["customers_mgmt"] == 7


def test_a_bit_given_back_does_not_return_below(root, customers):
    top = customers.reseller()
    child = customers.make(top, accounts_mgmt=7)
    root.updateCustomer(i_customer=top.i_customer, accounts_mgmt=0)

    root.updateCustomer(i_customer=top.i_customer, accounts_mgmt=7)

    assert top.info(child)["accounts_mgmt"] == 0


class TestDepth:
    def test_left_out_it_is_one_less_than_the_parents(self, customers):
        caller = customers.reseller(max_depth=3)

        assert caller.info(customers.make(caller))["max_depth"] == 2

    def test_zero_allows_no_sub_customers(self, customers, refused):
        caller = customers.reseller(max_depth=0)

        with refused(403, "Not permitted: your max_depth allows no sub-customers"):
            customers.make(caller)

    @pytest.mark.parametrize(("given", "allowed"), [(0, True), (2, True), (3, False), (9, False)])
    def test_a_childs_must_be_less_than_the_parents(self, customers, refused, given, allowed):
        caller = customers.reseller(max_depth=3)

        if allowed:
            assert caller.info(customers.make(caller, max_depth=given))["max_depth"] == given
        else:
            with refused(403, "Not permitted: max_depth must be less than your own 3"):
                customers.make(caller, max_depth=given)

    def test_levels_end_where_it_says(self, customers, refused):
        first = customers.reseller(max_depth=2)
        second = customers.reseller(first)
        third = customers.reseller(second)

        with refused(403):
            customers.make(third)

    def test_lowered_it_is_lowered_below(self, root, customers):
        top = customers.reseller(max_depth=10)
        middle = customers.reseller(top)
        bottom = customers.make(middle)

        root.updateCustomer(i_customer=top.i_customer, max_depth=4)

        assert top.info(middle.i_customer)["max_depth"] == 3
        assert middle.info(bottom)["max_depth"] == 2

    def test_it_cannot_be_lowered_below_what_is_there(self, root, customers, refused):
        top = customers.reseller(max_depth=10)
        customers.make(customers.reseller(top))

        with refused(409, "Parameter max_depth is less than the depth of the sub-customers that are there"):
            root.updateCustomer(i_customer=top.i_customer, max_depth=1)
        assert root.updateCustomer(i_customer=top.i_customer, max_depth=2) == {"result": "OK"}


@pytest.mark.one_engine
class TestOwnTariff:
    def test_nil_needs_use_own_tariff(self, root, customers, refused):
        caller = customers.reseller(use_own_tariff=0)

        with refused(403, "Not permitted: use_own_tariff is missing: i_tariff cannot be nil"):
            customers.make(caller)

    def test_left_out_use_own_tariff_is_that_of_the_caller(self, root, customers):
        caller = customers.reseller()

        assert caller.info(customers.make(caller))["use_own_tariff"] == 1
