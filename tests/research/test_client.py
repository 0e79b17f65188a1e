"""The guarded client against a web that means harm: what is refused, and with which sentence."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from console.research.addresses import Allowed, NotAllowed
from console.research.client import Client, Limits, NotFetched

from .hostile import Hostile, hostile, to

NAMES = {
    "good.test": ["127.0.0.1"],
    "home.test": ["127.0.0.1"],
    "both.test": ["93.184.216.34", "10.0.0.7"],
    "ten.test": ["10.1.2.3"],
    "cloud.test": ["169.254.169.254"],
    "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "sixtofour.test": ["2002:7f00:1::"],
    "unique.test": ["fd00::1"],
    "site.test": ["fec0::1"],
    "shared.test": ["100.64.0.1"],
    "many.test": ["224.0.0.1"],
    "zero.test": ["0.0.0.0"],
    "nobody.test": [],
}
NOT_PUBLIC = "It leads to an address that is not public."
NUMBER = "Its host is a number, which hides where it leads."
LARGE = "The page is larger than 1 MB."
LATE = "The page was not there whole after 0.4 s."
BROKE = "Its server broke off, or does not speak HTTP."


class Names:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host == "changes.test":  # public when it is looked at, private when it is asked again
            return ["127.0.0.1"] if self.asked.count(host) == 1 else ["10.0.0.1"]
        if host not in NAMES:
            raise socket.gaierror(host)
        return NAMES[host]


@pytest.fixture
async def web() -> AsyncIterator[Hostile]:
    async with hostile() as here:
        yield here


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def client(web: Hostile, names: Names) -> Client:
    listed = [f"{host}:{web.port}" for host in ("good.test", "changes.test")]
    return Client(Allowed.of(listed), Limits(seconds=60, bytes=1_000_000), names)


REFUSED = {
    "http://home.test:{port}/good": NOT_PUBLIC,
    "http://ten.test/": NOT_PUBLIC,
    "http://cloud.test/latest/meta-data": NOT_PUBLIC,
    "http://six.test/": NOT_PUBLIC,
    "http://mapped.test/": NOT_PUBLIC,
    "http://nat64.test/": NOT_PUBLIC,
    "http://sixtofour.test/": NOT_PUBLIC,
    "http://unique.test/": NOT_PUBLIC,
    "http://site.test/": NOT_PUBLIC,
    "http://shared.test/": NOT_PUBLIC,
    "http://many.test/": NOT_PUBLIC,
    "http://zero.test/": NOT_PUBLIC,
    "http://both.test/": NOT_PUBLIC,
    "http://127.0.0.1:{port}/good": NOT_PUBLIC,
    "http://[::1]/": NOT_PUBLIC,
    "http://[::ffff:127.0.0.1]/": NOT_PUBLIC,
    "http://[::ffff:a9fe:a9fe]/": NOT_PUBLIC,
    "http://2130706433/": NUMBER,
    "http://0177.0.0.1/": "Its address cannot be read.",
    "http://0x7f.1/": NUMBER,
    "http://127.1/": NUMBER,
    "http://nobody.test/": "The name of its host leads nowhere.",
    "http://unknown.test/": "The name of its host leads nowhere.",
    "http://93.184.216.34:22/": "Port 22 is none that web pages are served at.",
    "https://93.184.216.34:6379/": "Port 6379 is none that web pages are served at.",
    "ftp://good.test/": "Only pages of http and https are read.",
    "file:///etc/passwd": "Only pages of http and https are read.",
    "http://me:secret@good.test:{port}/good": "Its address holds a name or a password.",
    "http:///nobody": "Its address names no host.",
    "http://good.test:99999/": "Its address cannot be read.",
    "http://good.test:{port}/" + "a" * 2000: "Its address is too long.",
}
# By the path at a host that may be asked.
MISBEHAVES = {
    "/length": LARGE,
    "/chunks": LARGE,
    "/until-closed": LARGE,
    "/bomb": LARGE,
    "/torn": "The page ended before it was whole.",
    "/brotli": "The page is packed in a way that was not asked for.",
    "/no-gzip": "The page is packed, and cannot be unpacked.",
    "/drip": LATE,
    "/slow-head": LATE,
    "/silent": LATE,
    "/circle": "The page redirects in a circle.",
    "/hop-6": "The page redirects more than 5 times.",
    "/nowhere": "The page redirects without saying where to.",
    "/to-file": "Only pages of http and https are read.",
    "/to-bracket": "Its address cannot be read.",
    "/to-password": "Its address holds a name or a password.",
    "/zip": "It is no page of text (application/zip).",
    "/picture": "It is no page of text (image/png).",
    "/svg": "It is no page of text (image/svg+xml).",
    "/no-pdf": "It is something else than its server says.",
    "/hidden-pdf": "It is something else than its server says.",
    "/binary": "It is no page of text.",
    "/empty": "The page is empty.",
    "/404": "Its server answered 404.",
    "/500": "Its server answered 500.",
    "/garbage": BROKE,
    "/cut": BROKE,
    "/long-head": BROKE,
    "/not-for-robots": "Its site asks programs not to read this page (robots.txt).",
}
# Where a page of a host that may be asked redirects to.
REDIRECTS = [
    "http://127.0.0.1:{port}/good",
    "http://[::ffff:127.0.0.1]:{port}/good",
    "http://home.test:{port}/good",
    "//cloud.test/latest/meta-data",
    "https://six.test/",
]


async def refusal(client: Client, address: str) -> str:
    with pytest.raises(NotFetched) as refused:
        await client.fetch(address)
    return str(refused.value)


@pytest.mark.parametrize("address", REFUSED)
async def test_an_address_that_hides_where_it_leads_is_not_asked(
    client: Client, web: Hostile, address: str
) -> None:
    assert await refusal(client, address.format(port=web.port)) == REFUSED[address]
    assert web.asked == []


@pytest.mark.parametrize("path", MISBEHAVES)
async def test_a_page_that_misbehaves_is_refused(client: Client, web: Hostile, path: str) -> None:
    if MISBEHAVES[path] == LATE:
        client.limits = Limits(seconds=0.4)
    assert await refusal(client, f"http://good.test:{web.port}{path}") == MISBEHAVES[path]


@pytest.mark.parametrize("where", REDIRECTS)
async def test_a_redirect_is_vetted_like_the_first_address(
    client: Client, web: Hostile, where: str
) -> None:
    web.pages["/away"] = to(where.format(port=web.port))
    assert await refusal(client, f"http://good.test:{web.port}/away") == NOT_PUBLIC
    assert [path for path, _ in web.asked] == ["/robots.txt", "/away"]


async def test_a_name_is_looked_up_once_for_each_connection_which_goes_to_what_was_found(
    client: Client, web: Hostile, names: Names
) -> None:
    client = Client(client.allowed, Limits(heeds_robots=False), names)
    page = await client.fetch(f"http://changes.test:{web.port}/good")
    assert b"Forty-two" in page.body
    assert names.asked == ["changes.test"]
    # The same name leads elsewhere by now, and that is listed, but there is nobody.
    assert web.asked[0][1]["host"] == f"changes.test:{web.port}"


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/good", "html"), ("/untyped", "html"), ("/packed", "html"), ("/deflated", "html"),
        ("/moved", "html"), ("/hop-5", "html"), ("/cookie", "html"), ("/plain", "text"),
        ("/markdown", "text"), ("/json", "text"),
    ],
)  # fmt: skip
async def test_a_page_that_behaves_is_read(
    client: Client, web: Hostile, path: str, type: str
) -> None:
    page = await client.fetch(f"http://good.test:{web.port}{path}#part")
    assert page.type == type and page.body
    assert "#" not in page.address


async def test_nothing_of_us_goes_along(
    client: Client, web: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for path in ("/cookie", "/good"):
        await client.fetch(f"http://good.test:{web.port}{path}")
    paths = [path for path, _ in web.asked]
    assert paths == ["/robots.txt", "/cookie", "/good"]  # the site is asked once what it wishes
    headers = web.asked[-1][1]
    assert not {"cookie", "authorization", "referer"} & headers.keys()
    assert headers["user-agent"].startswith("fusion")


async def test_loopback_and_private_networks_are_read_by_the_operators_list(web: Hostile) -> None:
    page = await Client(Allowed.of(["127.0.0.0/8"])).fetch(f"http://127.0.0.1:{web.port}/good")
    assert page.type == "html"
    listed = Client(Allowed.of([f"127.0.0.1:{web.port}"]))
    assert (await listed.fetch(f"http://127.0.0.1:{web.port}/good")).type == "html"
    assert await refusal(listed, "http://127.0.0.1:1/") == NOT_PUBLIC


@pytest.mark.parametrize("entry", ["home", "10.0.0.0/99", "home:port", "home:70000", ":80"])
def test_an_entry_of_the_list_that_is_no_place_is_refused(entry: str) -> None:
    with pytest.raises(NotAllowed):
        Allowed.of([entry])
