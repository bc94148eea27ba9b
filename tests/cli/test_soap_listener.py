"""NGNPro's SOAP on a listener of its own, with an administrator whose password `hash-password` hashed."""

from commandline import free_port
from lxml import etree
from soap import ADMIN, ADMIN_PASSWORD, auth, envelope, send


def test_any_path_of_the_port_takes_calls_and_nothing_else_is_there(cli):
    port = free_port()
    cli.environ |= {
        "XMLRPC_API_NGNPRO_PORT": str(port),
        "XMLRPC_API_NGNPRO_ADMIN_USERNAME": ADMIN,
        "XMLRPC_API_NGNPRO_ADMIN_PASSWORD_HASH": cli.run("hash-password", stdin=f"{ADMIN_PASSWORD}\n").stdout.strip(),
    }
    new = '<account xsi:type="ns5:CustomerAccount"><username xsi:type="xsd:string">acme</username></account>'
    body = envelope("Customer", "addAccount", new, auth(ADMIN, ADMIN_PASSWORD, admin=True))
    call = b"<methodCall><methodName>system.listMethods</methodName></methodCall>"

    with cli.serving():
        made = send(port, body, "/")
        again = send(port, body, "/any/where")
        other = send(port, call, "/xmlapi/xmlapi")

    assert made.status == 200
    assert etree.QName(made.operation).localname == "addAccountResponse"
    assert b'<errorcode xsi:type="xsd:int">5001<' in again.body
    assert other.status == 500
    assert b"not a SOAP 1.1 envelope" in other.body


def test_an_empty_password_is_not_hashed(cli):
    assert "The password is empty" in cli.run("hash-password", stdin="\n", code=2).stderr
