"""Introspection: what the server says of itself is what it does."""

from typing import Any

import pytest
from faces import Api

from xmlrpc_api.declaration.faults import BadParameter
from xmlrpc_api.dialects.switch import METHODS

pytestmark = pytest.mark.one_engine

DOCUMENTED = [
    "accountAddFunds",
    "accountCredit",
    "accountDebit",
    "addAuthRule",
    "addCLIMapping",
    "addDID",
    "addDIDDelegation",
    "addExtendedRouting",
    "addFollowMeEntry",
    "addHotDialNumber",
    "addMinutePlan",
    "addPostAuthRule",
    "addRate",
    "addSmartDial",
    "addTrustedHost",
    "applyTranslationRule",
    "authAccount",
    "authCustomer",
    "blockAccount",
    "blockCustomer",
    "blockWebUser",
    "changeApiPassword",
    "changeWebPassword",
    "checkMatchRule",
    "confirmSecondFactor",
    "createAccount",
    "createCustomer",
    "createDIDChargingGroup",
    "createServicePlan",
    "createTariff",
    "createWebUser",
    "customerAddFunds",
    "customerCredit",
    "customerDebit",
    "delAuthRule",
    "delCLIMapping",
    "delHotDialNumber",
    "deleteAccount",
    "deleteAllRatesInTariff",
    "deleteCustomer",
    "deleteDID",
    "deleteDIDChargingGroup",
    "deleteDIDDelegation",
    "deleteExtendedRouting",
    "deleteFollowMeEntry",
    "deleteMinutePlan",
    "deletePostAuthRule",
    "deleteRate",
    "deleteServicePlan",
    "deleteSmartDial",
    "deleteTariff",
    "deleteTrustedHost",
    "deleteWebUser",
    "disableSecondFactor",
    "enableSecondFactor",
    "findCLIMapping",
    "getAccountInfo",
    "getAccountRates",
    "getAuditLogs",
    "getAuthRuleInfo",
    "getCustomerHistory",
    "getCustomerInfo",
    "getDIDChargingGroupInfo",
    "getDIDInfo",
    "getDIDsList",
    "getDictionary",
    "getFollowMeOptions",
    "getIncomingRoutesList",
    "getLedger",
    "getLowBalance",
    "getPaymentInfo",
    "getPaymentsList",
    "getPostAuthRuleInfo",
    "getRate",
    "getServicePlanInfo",
    "getTariffInfo",
    "getTariffRatesList",
    "getTariffsList",
    "getUploadReport",
    "getUploadStatus",
    "getUploadToken",
    "getWebUserInfo",
    "listAccounts",
    "listAuthRules",
    "listCLIMappings",
    "listCustomers",
    "listDIDChargingGroups",
    "listEvents",
    "listExtendedRouting",
    "listFollowMeEntries",
    "listHotDialNumbers",
    "listPostAuthRules",
    "listServicePlans",
    "listSmartDials",
    "listTrustedHosts",
    "listWebUsers",
    "releaseDID",
    "reserveDID",
    "resetAccountOneTimePassword",
    "resetCustomerOneTimePassword",
    "searchFreeDIDs",
    "setFollowMeOptions",
    "setLowBalance",
    "system.listMethods",
    "system.methodHelp",
    "system.methodSignature",
    "system.multicall",
    "transferFunds",
    "unblockAccount",
    "unblockCustomer",
    "unblockWebUser",
    "updateAccount",
    "updateAuthRule",
    "updateCLIMapping",
    "updateCustomer",
    "updateDID",
    "updateDIDChargingGroup",
    "updateDIDDelegation",
    "updateExtendedRouting",
    "updateFollowMeEntry",
    "updateHotDialNumber",
    "updateIncomingRoute",
    "updateMinutePlan",
    "updatePostAuthRule",
    "updateRate",
    "updateServicePlan",
    "updateSmartDial",
    "updateTariff",
    "updateWebUser",
    "validatePassword",
]


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
