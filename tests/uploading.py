"""Sending files with the tokens of uploads."""

import http.client
from typing import Any
from urllib.parse import urlsplit

from harness import until

FILE = "Code;Rate;Destination\n49;0.02;Germany\n4930;0.015;Berlin\n1;0.01;USA\n"
ENDED = ("DONE", "FAIL")
LIFE = "must be after process_on, and not more than 31 days"


def send(url: str, body: Any, method: str = "POST", **headers: str) -> tuple[int, str]:
    """Send a file; status and text of the answer."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=30)
    try:
        connection.request(method, place.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def token_for(api: Any, i_tariff: int, **asked: Any) -> dict[str, Any]:
    times = {name: asked.pop(name) for name in ("process_on", "expires_on", "i_upload_type") if name in asked}
    return api.getUploadToken(**{"i_upload_type": 1, **times}, params={"i_tariff": i_tariff, **asked})


def ended(api: Any, token: str) -> dict[str, Any]:
    """The status of an upload, as soon as it is processed."""
    until(lambda: api.getUploadStatus(token=token)["status"] in ENDED)
    return api.getUploadStatus(token=token)


def upload(api: Any, i_tariff: int, text: str = FILE, **asked: Any) -> dict[str, Any]:
    made = token_for(api, i_tariff, **asked)
    status, answer = send(made["url"], text.encode())
    assert status == 200, answer
    return {**ended(api, made["token"]), **made}


def rates(api: Any, i_tariff: int) -> dict[str, float]:
    found = api.getTariffRatesList(i_tariff=i_tariff, limit=1000)["rates"]
    return {rate["prefix"]: float(rate["price_1"]) for rate in found}
