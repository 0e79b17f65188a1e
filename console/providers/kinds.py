"""What is known of each kind of provider, and of the servers that every site knows.

A *kind* is a wire format with the module that speaks it. A *server* is a place where a
kind is spoken and whose credential every site has: the environment may fill it. Pages,
admin, checks, starters, prices and `up` read both from here, so nobody else tells one
kind from another.

The standard library only: `up` reads this on a bare Python.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Server:
    slug: str  # names its credential, and in the row what fills it: 20 characters at most
    name: str
    address: str = ""  # the usual one; "": there is none
    key_variable: str = ""
    address_variable: str = ""
    takes_bare_host: bool = False  # its variable is read as Ollama reads OLLAMA_HOST
    needs_key: bool = False  # at its usual address
    is_built_in: bool = False  # `up` starts it: nothing to enter, nothing to pay
    output_tokens: int | None = None  # a seat's usual limit, where it is not the kind's
    context_length: int | None = None  # of every model there, where that is certain
    # Models of it that cannot compare answers, nor write from them.
    too_small: frozenset[str] = frozenset()
    limit_field: str = ""  # what it wants an output limit to be called, where that is peculiar


@dataclass(frozen=True)
class Kind:
    slug: str  # stored in rows
    label: str
    module: str  # has `make`, and where it can `list_models` and `test_credential`
    servers: tuple[Server, ...] = ()
    has_home: bool = False  # its one server alone speaks it: a key is all that one enters
    is_offered: bool = True  # to people, as a choice
    output_tokens: int | None = None  # a seat's usual limit; None: nothing is known of its servers
    published_as: str = ""  # whose published prices hold, for genai-prices; "": by the address
    starter_preset: str = ""  # runs with nothing but a key; the built-in model is not started then
    # What it sees to when a request asks for it (`PROMISES` of engine/terms.py): of all others
    # nothing is known, whatever the contract of whoever has the key.
    keeps: frozenset[str] = frozenset()
    searches: bool = False  # the web, for any model that is asked with it
    # What may stand behind a listed model's name, after a colon, without being listed.
    variants: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.has_home and len(self.servers) != 1:
            raise ValueError(f"{self.label} has one home, so it has one server.")

    @property
    def home(self) -> Server | None:
        return self.servers[0] if self.has_home else None

    @property
    def needs_key(self) -> bool:
        """Wherever it is spoken: behind another address of a home is the same home."""
        return self.home is not None and self.home.needs_key


# Reasoning counts as output, so this is a bound on the bill rather than on the text.
FRONTIER_OUTPUT_TOKENS = 16_000
# What the built-in model can write in a time one is willing to wait.
LOCAL_OUTPUT_TOKENS = 200

BUILT_IN = Server(
    slug="local",
    name="Built-in model",
    is_built_in=True,
    output_tokens=LOCAL_OUTPUT_TOKENS,
    context_length=4096,  # of each of its slots
    too_small=frozenset({"smollm2-135m-instruct"}),
)
OPENROUTER = Kind(
    slug="openrouter",
    label="OpenRouter",
    module="console.providers.openrouter",
    servers=(
        Server(
            slug="openrouter",
            name="OpenRouter",
            address="https://openrouter.ai/api/v1",
            key_variable="OPENROUTER_API_KEY",
            address_variable="OPENROUTER_BASE_URL",
            needs_key=True,
        ),
    ),
    has_home=True,
    output_tokens=FRONTIER_OUTPUT_TOKENS,
    published_as="openrouter",
    starter_preset="quality",
    # Fields of `provider` in its requests; it goes to other machines, whatever its address.
    keeps=frozenset(
        {
            *("zero_retention", "no_training", "only_providers", "ignored_providers"),
            *("max_price", "distillable"),
        }
    ),
    searches=True,
    variants=frozenset({"free", "online", "nitro", "floor", "exacto", "extended", "thinking"}),
)
ANTHROPIC = Kind(
    slug="anthropic",
    label="Anthropic",
    module="console.providers.anthropic",
    servers=(
        Server(
            slug="anthropic",
            name="Anthropic",
            address="https://api.anthropic.com/v1",
            key_variable="ANTHROPIC_API_KEY",
            address_variable="ANTHROPIC_BASE_URL",
            needs_key=True,
        ),
    ),
    has_home=True,
    output_tokens=FRONTIER_OUTPUT_TOKENS,
    published_as="anthropic",
    starter_preset="quality",
    searches=True,
)
OPENAI_COMPATIBLE = Kind(
    slug="openai_compatible",
    label="OpenAI-compatible server",
    module="console.providers.openai_compatible",
    servers=(
        Server(
            slug="openai",
            name="OpenAI",
            address="https://api.openai.com/v1",
            key_variable="OPENAI_API_KEY",
            address_variable="OPENAI_BASE_URL",
            needs_key=True,
            # Its own models refuse the name that everybody else knows the limit by.
            limit_field="max_completion_tokens",
        ),
        Server(
            slug="ollama",
            name="Ollama",
            address_variable="OLLAMA_HOST",
            takes_bare_host=True,
        ),
        BUILT_IN,
    ),
)
FAKE = Kind(slug="fake", label="Fake", module="console.providers.fake", is_offered=False)

KINDS: dict[str, Kind] = {
    kind.slug: kind for kind in (OPENROUTER, ANTHROPIC, OPENAI_COMPATIBLE, FAKE)
}


def offered() -> list[Kind]:
    """What people may choose from; the first is the one to begin with."""
    return [kind for kind in KINDS.values() if kind.is_offered]


def choices() -> list[tuple[str, str]]:
    """Of a form. A stored kind that is none of them is added by whoever shows it."""
    return [(kind.slug, kind.label) for kind in offered()]


def unknown(slug: str) -> str:
    """Of a kind that a newer version stored or somebody made up."""
    known = ", ".join(kind.slug for kind in offered())
    return f"This version knows no kind of provider named “{slug}”: it knows {known}."


def servers() -> Iterator[tuple[Kind, Server]]:
    for kind in KINDS.values():
        for server in kind.servers:
            yield kind, server


def server_named(slug: str) -> Server | None:
    return next((server for _, server in servers() if server.slug == slug), None)


def server_at(url: str) -> Server | None:
    """Whose usual address has the host of this one."""
    host = _host(url)
    return next((s for _, s in servers() if host and _host(s.address) == host), None)


def usual_address(server: Server) -> str:
    """Where the environment says that it is, or everybody finds it."""
    return os.environ.get(server.address_variable) or server.address


def is_on_this_machine(url: str) -> bool:
    host = _host(url)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_variables() -> dict[str, Server]:
    return {s.address_variable: s for _, s in servers() if s.address_variable}


def key_variables() -> dict[str, Server]:
    return {s.key_variable: s for _, s in servers() if s.key_variable}


def keys_for_starters() -> list[str]:
    """The variables of which one alone makes a starter preset run."""
    homes = [kind.home for kind in KINDS.values() if kind.starter_preset and kind.home]
    return [home.key_variable for home in homes if home.key_variable]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@dataclass(frozen=True)
class KeyGiver:
    """Whoever gives out keys that people have in hand, and how theirs begin.

    `slug` is that of the `Server` whose credential every site has, where there is one; else its
    key becomes a credential of its own, for the OpenAI-compatible `address`.
    """

    slug: str
    name: str
    begins: tuple[str, ...] = ()  # (): like nothing in particular
    address: str = ""


# As their documentation shows keys; where several begin alike, the first is taken, and the
# others are named where it refuses one.
KEY_GIVERS = (
    KeyGiver("openrouter", "OpenRouter", ("sk-or-",)),
    KeyGiver("anthropic", "Anthropic", ("sk-ant-",)),
    KeyGiver("openai", "OpenAI", ("sk-", "sess-")),
    KeyGiver(
        "google",
        "Google AI Studio",
        ("AIza", "AQ."),
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ),
    KeyGiver("groq", "Groq", ("gsk_",), "https://api.groq.com/openai/v1"),
    KeyGiver("xai", "xAI", ("xai-",), "https://api.x.ai/v1"),
    KeyGiver("cerebras", "Cerebras", ("csk-",), "https://api.cerebras.ai/v1"),
    KeyGiver("fireworks", "Fireworks", ("fw_",), "https://api.fireworks.ai/inference/v1"),
    KeyGiver("together", "Together", ("tgp_v1_",), "https://api.together.xyz/v1"),
    KeyGiver("deepseek", "DeepSeek", ("sk-",), "https://api.deepseek.com/v1"),
    KeyGiver("mistral", "Mistral", (), "https://api.mistral.ai/v1"),
    KeyGiver("moonshot", "Moonshot", ("sk-",), "https://api.moonshot.ai/v1"),
)


def giver_named(slug: str) -> KeyGiver | None:
    return next((giver for giver in KEY_GIVERS if giver.slug == slug), None)


def givers_of(key: str) -> list[KeyGiver]:
    """Whose keys begin so, by the longest beginning; several where their keys begin alike."""
    longest = max(
        (len(b) for giver in KEY_GIVERS for b in giver.begins if key.startswith(b)), default=0
    )
    return [g for g in KEY_GIVERS if any(len(b) == longest and key.startswith(b) for b in g.begins)]
