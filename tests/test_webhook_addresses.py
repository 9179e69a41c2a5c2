"""Where a webhook may lead: to the public internet over https, whatever a name resolves to and whenever it does."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest

from app.models.webhook import SendProblem
from app.settings import Settings
from app.webhooks.addresses import Address, AddressRefused, check_resolved
from app.webhooks.connecting import Resolve
from app.webhooks.looking import LookedAt
from app.webhooks.sending import Sender, Sent
from tests.cast import Cast
from tests.hooking import partner, receiving

CLOSED = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),  # noqa: S104
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.51.100.1"),
    *("203.0.113.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1", "::808:808"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::1", "2002:808:808::1", "2001::1"),
    *("2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1", "4000::1", "2606:4700::1111%1"),
    *("localhost", "1", "127.1", "0x7f.1", ""),
]
OPEN = ["8.8.8.8", "1.1.1.1", "103.12.163.1", "2606:4700:4700::1111", "2400:cb00::1", "192.0.1.1", "172.32.0.1"]


@pytest.mark.parametrize("address", CLOSED)
def test_no_webhook_leads_inside(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_resolved(address, loopback=False)


@pytest.mark.parametrize("address", OPEN)
def test_a_webhook_may_lead_to_the_public_internet(address: str) -> None:
    check_resolved(address, loopback=False)


@pytest.mark.parametrize("address", OPEN + [one for one in CLOSED if one not in {"127.0.0.1", "127.8.8.8", "::1"}])
def test_what_stays_on_this_machine_leads_nowhere_else(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_resolved(address, loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            " ",
            "example.org",
            "//example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://",
            "https:///x",
        ),
        *("http://example.org/", "http://8.8.8.8/", "HTTPS://example.org/", "javascript:alert(1)"),
        *("https://user@example.org/", "https://user:word@example.org/", "https://example.org@evil.example/"),
        *("https://example.org:22/", "https://example.org:80/", "https://example.org:0/", "https://example.org:65536/"),
        *("https://example.org:/", "https://example.org:443443/", "https://example.org\\@127.0.0.1/"),
        *(
            "https://example.org/#part",
            "https://example.org/ x",
            "https://example.org/\r\nHost: a",
            "https://exa mple/",
        ),
        *("https://ឧទាហរណ៍.example/", "https://example.org/ផ្លូវ", "https://[fe80::1%25eth0]/", "https://[::1/"),
        *(
            "https://-example.org/",
            "https://example-/",
            "https://." + "a",
            "https://" + "a" * 254 + "/",
            "https://a_b/",
        ),
        *("https://127.0.0.1/\x00", "https://example.org/\ud800", "https://１２７.0.0.1/"),
    ],
)
@pytest.mark.parametrize("demo", [False, True])
def test_what_is_no_plain_https_address_is_refused_as_it_is_written(url: str, demo: bool) -> None:
    with pytest.raises(AddressRefused):
        Address.read(url, demo=demo)


def test_an_address_is_read_once_and_called_as_it_was_read() -> None:
    read = Address.read("https://Hooks.Example.org:8443?a=1", demo=False)
    assert (read.host, read.port, read.target, read.loopback) == ("hooks.example.org", 8443, "/?a=1", False)
    assert Address.read("https://[2606:4700:4700::1111]/x", demo=False).host == "2606:4700:4700::1111"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099/x", "http://localhost/x", "http://[::1]:5000/"])
def test_http_is_for_this_machine_in_a_demo_and_only_there(url: str) -> None:
    assert Address.read(url, demo=True).loopback
    with pytest.raises(AddressRefused):
        Address.read(url, demo=False)


def resolving(*answers: Sequence[str]) -> Resolve:
    """Resolves differently each time; the last answer stays."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def tried(url: str, resolve: Resolve | None, *, demo: bool = False) -> Sent:
    return await Sender(demo=demo, at_once=4, resolve=resolve).post(url, {}, b"{}", within=2)


REFUSED = Sent(problem=SendProblem.ADDRESS)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fe80::1", "::ffff:10.0.0.1"])
async def test_a_name_that_resolves_inside_is_never_called(inside: str) -> None:
    assert await tried("https://partner.example/", resolving([inside])) == REFUSED


async def test_one_inner_address_among_outer_ones_is_a_trap() -> None:
    assert await tried("https://partner.example/", resolving(["8.8.8.8", "192.168.0.1"])) == REFUSED


async def test_the_same_in_a_demo_where_only_plain_loopback_is_at_home() -> None:
    assert await tried("https://partner.example/", resolving(["127.0.0.1"]), demo=True) == REFUSED
    assert await tried("http://localhost/", resolving(["8.8.8.8"]), demo=True) == REFUSED


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://localhost/", "https://0x7f.1/", "https://2130706433/"])
async def test_ways_to_write_this_machine_are_found_out_by_the_systems_resolver(url: str) -> None:
    assert (await tried(url, None)).problem in {SendProblem.ADDRESS, SendProblem.NAME}


async def test_a_name_is_resolved_once_for_the_check_and_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: public when it is looked at, inner when it would be called."""
    called: list[str] = []

    async def connect(_: Any, host: str, *rest: Any, **more: Any) -> Any:
        called.append(host)
        raise OSError

    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
    resolve = resolving(["8.8.8.8"], ["127.0.0.1"])
    assert (await tried("https://partner.example/", resolve)).problem is SendProblem.CONNECTION
    assert called == ["8.8.8.8"]
    assert await tried("https://partner.example/", resolve) == REFUSED
    assert called == ["8.8.8.8"]
    assert all(ip_address(one).is_global for one in called)


async def test_a_name_server_that_takes_its_time_holds_up_no_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, asked = Event(), list[str]()

    def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        if host == "slow.example":
            goes_on.wait(10)
        return [(0, 0, 0, "", ("10.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    sender = Sender(demo=False, at_once=64)
    slow = [asyncio.create_task(sender.post("https://slow.example/", {}, b"", within=5)) for _ in range(60)]
    await asyncio.sleep(0.05)
    assert await sender.post("https://other.example/", {}, b"", within=4) == REFUSED  # it has an answer
    goes_on.set()
    assert set(await asyncio.gather(*slow)) == {REFUSED}
    assert asked == ["slow.example", "other.example"]
    assert await sender.post("https://slow.example/", {}, b"", within=5) == REFUSED
    assert asked[2:] == ["slow.example"]  # later it is asked anew


async def test_a_name_without_address_is_said_to_be_one() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        raise OSError

    assert (await tried("https://partner.example/", nothing)).problem is SendProblem.NAME


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/"),
        *("https://[::ffff:127.0.0.1]/", "https://192.168.1.1:8443/", "http://8.8.8.8/", "http://partner.example/"),
        *("ftp://example.org/", "nonsense", "https://user@8.8.8.8/", "https://8.8.8.8:22/", "http://169.254.169.254/"),
        *("https://localhost/", "x" * 500),
    ],
)
async def test_an_address_that_leads_inside_is_a_422_and_nothing_is_written(cast: Cast, url: str) -> None:
    clinic = await partner(cast)
    refused = await clinic.hook(url, status=422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/url", "webhook_address")]
    assert url not in str(refused)
    assert (await clinic.call("GET", "/webhooks", 200))["items"] == []
    async with receiving() as receiver:
        made = await clinic.hook(receiver.url)
    path = f"/webhooks/{made['id']}"
    await clinic.call("PATCH", path, 422, json={"url": url}, headers={"If-Match": "*"})
    assert (await clinic.call("GET", path, 200))["url"] == made["url"]


async def test_outside_a_demo_this_machine_is_no_place_either(app_settings: Settings) -> None:
    async with receiving() as receiver:
        sender = Sender(demo=False, at_once=4)
        assert not (await LookedAt.at(sender, receiver.url)).good
        assert await sender.post(receiver.url, {}, b"{}") == REFUSED
        assert receiver.connections == 0
        at_home = Sender(demo=True, at_once=4)
        assert (await LookedAt.at(at_home, receiver.url)).good
        assert receiver.connections == 1
