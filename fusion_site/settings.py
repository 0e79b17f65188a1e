"""Settings, read once from the environment (see env.py), with defaults for a laptop."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from marshmallow.validate import OneOf, Range

from . import env as environment
from . import memory
from .env import BASE_DIR

django_stubs_ext.monkeypatch()

env = environment.load()

VAR_DIR = Path(env.str("FUSION_VAR_DIR", "") or BASE_DIR / "var")
DEBUG = env.bool("DEBUG", False)

# `up` generates both into var/secrets.env. Without them only commands that need no
# secret may work (checks, migrations being made, collecting static files).
SECRET_KEY = env.str("SECRET_KEY", "")
DEFAULT_EXCEPTION_REPORTER = "console.site.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "console.site.error_reports.Discreet"
ENCRYPTION_KEYS: list[str] = env.list("FUSION_ENCRYPTION_KEYS", [])

HOST = env.str("FUSION_HOST", "127.0.0.1")
PORT = env.int("FUSION_PORT", 8000)
_local_names = ["127.0.0.1", "localhost", "[::1]"]
# Where the site is reached from outside, e.g. https://fusion.example.org
BASE_URL = env.str("FUSION_BASE_URL", "").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
if not ALLOWED_HOSTS:
    # 0.0.0.0 means "whatever name this machine has": only then any host name is accepted.
    ALLOWED_HOSTS = ["*"] if HOST in ("0.0.0.0", "::") else [*_local_names, HOST]
if _public := environment.host_of(BASE_URL):
    ALLOWED_HOSTS.append(_public)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [BASE_URL] if BASE_URL else [])
# A websocket is refused unless its page came from one of these; empty means
# "the very host and port the socket itself was opened on".
WEBSOCKET_ORIGINS = env.list("FUSION_WEBSOCKET_ORIGINS", [BASE_URL] if BASE_URL else [])
# Pages of other sites whose scripts may ask /v1 with a token; "*": any.
CORS_ALLOWED_ORIGINS: list[str] = env.list("FUSION_CORS_ORIGINS", [])
CORS_ALLOWED_ORIGINS = [origin.rstrip("/") for origin in CORS_ALLOWED_ORIGINS]
# Whose X-Forwarded-For is believed (console/site/addresses.py): addresses or networks.
TRUSTED_PROXIES: list[str] = env.list("FUSION_TRUSTED_PROXIES", [])
_secure = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "console.site.sessions"
# Attempts from one address (console/site/attempts.py).
SIGN_INS_PER_MINUTE = env.int("FUSION_SIGN_INS_PER_MINUTE", 30)
SESSION_COOKIE_AGE = 14 * 24 * 3600
if _secure:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0)
# Not "no-referrer": with it a browser posts our own forms with "Origin: null".
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "console.apps.ConsoleConfig",
    "console.apps.FusionAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "console.site.statics.Statics",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],  # the nonce is the import map's
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
# Cookies count for nothing under /v1, so that no page acts for whoever has it open.
CORS_ALLOW_ALL_ORIGINS = CORS_ALLOWED_ORIGINS == ["*"]
CORS_URLS_REGEX = r"^/v1(/|$)"
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = ["*", "Authorization"]  # whatever client libraries add; "*" leaves that out
CORS_ALLOW_PRIVATE_NETWORK = True
CORS_EXPOSE_HEADERS = [
    *("x-request-id", "x-should-retry", "retry-after", "location"),
    *("x-fusion-asked-anew-in", "x-fusion-warnings"),
    *(f"x-ratelimit-{of}-requests" for of in ("limit", "remaining", "reset")),
]
ROOT_URLCONF = "fusion_site.urls"
ASGI_APPLICATION = "fusion_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "console.site.templates.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# SQLite by default. IMMEDIATE and WAL together: without IMMEDIATE, read-then-write
# transactions fail at once with "database is locked", whatever the timeout says.
# The timeout stays well below the lease of a run (20 s).
DATABASES = {
    "default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR}/fusion.sqlite3", conn_max_age=60)
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "fusion_site.sqlite3"
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        timeout=10,
        transaction_mode="IMMEDIATE",
        init_command=(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
            "PRAGMA journal_size_limit=67108864; "
            # What is deleted, and what a longer text replaces, is written over with zeros.
            "PRAGMA secure_delete=ON"
        ),
    )
    # A file database in tests too: live-stack tests read it from other processes.
    DATABASES["default"]["TEST"] = {"NAME": env.str("FUSION_TEST_DATABASE", "") or None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")

CELERY_BROKER_URL = environment.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
# There is none, and so nothing that threads could share: else each of them looks for one in all
# installed packages when it first rings.
CELERY_RESULT_BACKEND_THREAD_SAFE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "console"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "console.site.statics.VersionedStatics"},
}
SERVESTATIC_USE_FINDERS = True  # no collectstatic step between a clone and a page
SERVESTATIC_AUTOREFRESH = DEBUG
# A view that is to take a file names its handlers itself, once it knows
# who sends it: see docs/design.md.
FILE_UPLOAD_HANDLERS: list[str] = []

# ---- Fusion's own ----
# Whether a new site is given a finished run to read.
SAMPLE = env.bool("FUSION_SAMPLE", True)
LOCAL_MODEL_URL = env.str("FUSION_LOCAL_MODEL_URL", "")
# Of the packaged model; `up --local-model` tells another, and how much each of its slots holds.
LOCAL_MODEL_NAME = env.str("FUSION_LOCAL_MODEL_NAME", "") or "smollm2-135m-instruct"
LOCAL_MODEL_CONTEXT = env.int("FUSION_LOCAL_MODEL_CONTEXT", 0)
# Where model servers of this machine are looked for; 0: nowhere, nor where OLLAMA_HOST says.
LOCAL_SERVER_PORTS: list[int] = env.list(
    "FUSION_LOCAL_SERVERS",
    [11434, 1234, 8080, 8000, 1337],
    subcast=int,
    validate=lambda ports: [Range(0, 65535)(port) for port in ports],
)
LOCAL_SERVER_PORTS = [port for port in LOCAL_SERVER_PORTS if port]
MAX_PROMPT_CHARACTERS = env.int("FUSION_MAX_PROMPT_CHARACTERS", 400_000)
# What is read of a body at most, once it is known who sends it (console/api/http/bodies.py). A
# form has the longest prompt in it, of whose characters each takes up to twelve bytes.
FORM_BODY_BYTES = 12 * MAX_PROMPT_CHARACTERS + 200_000
API_BODY_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = max(10_000_000, FORM_BODY_BYTES)
# Of a file with runs that were taken along, and of the form that it stands in.
IMPORT_BYTES = 10_000_000
IMPORT_BODY_BYTES = IMPORT_BYTES + 100_000
# Where files are that people attach: one folder for web and workers. How large one may be, and
# those of a run together; how many tokens of their text a seat is given; how long reading takes.
FILES_DIR = env.str("FUSION_FILES_DIR", "") or str(VAR_DIR / "files")
FILE_BYTES = env.int("FUSION_FILE_BYTES", 20_000_000)
RUN_FILES_BYTES = env.int("FUSION_RUN_FILES_BYTES", 40_000_000)
RUN_FILES = 10
PROJECT_FILES_BYTES = env.int("FUSION_PROJECT_FILES_BYTES", 200_000_000)
FILE_TOKENS = env.int("FUSION_FILE_TOKENS", 200_000)
FILE_SECONDS = env.int("FUSION_FILE_SECONDS", 25)
# Of files that were brought and nobody has asked about: of a person, and of all.
UNASKED_BYTES = env.int("FUSION_UNASKED_FILES_BYTES", 200_000_000)
UNASKED_SITE_BYTES = env.int("FUSION_UNASKED_FILES_SITE_BYTES", 5_000_000_000)
# Of a form that files stand in.
FILES_BODY_BYTES = RUN_FILES_BYTES + FORM_BODY_BYTES
# Defaults of every run's policy, in seconds; a preset may set its own.
FIRST_TOKEN_TIMEOUT = env.float("FUSION_FIRST_TOKEN_TIMEOUT", 180)
STALL_TIMEOUT = env.float("FUSION_STALL_TIMEOUT", 30)
ALIVE_TIMEOUT = env.float("FUSION_ALIVE_TIMEOUT", 300)
TOTAL_TIMEOUT = env.float("FUSION_TOTAL_TIMEOUT", 900)
# Of a person, in all workers: further ones wait. More is allowed to nobody's token as a rule.
RUNS_PER_PERSON = env.int("FUSION_RUNS_PER_PERSON", 20)
# In one worker process at once; 0: as many as memory bears.
RUNS_PER_WORKER = env.int("FUSION_RUNS_PER_WORKER", 0) or memory.runs_per_worker()
# A worker's hold on a run, and how often every worker looks for runs left behind.
# Input and output in US dollars a million tokens, of models whose price nobody knows: by these
# they are paid from budgets. Empty: where there is a budget, they are not asked.
WORST_PRICE = env.list("FUSION_WORST_PRICE", [], subcast=Decimal, delimiter="/")
if len(WORST_PRICE) not in (0, 2) or not all(price >= 0 for price in WORST_PRICE):
    raise ImproperlyConfigured("FUSION_WORST_PRICE has the form input/output, as 15/75.")
LEASE_SECONDS = env.float("FUSION_LEASE_SECONDS", 20)
HEARTBEAT_SECONDS = env.float("FUSION_HEARTBEAT_SECONDS", 5)
SWEEP_SECONDS = env.float("FUSION_SWEEP_SECONDS", 2)
SHUTDOWN_GRACE_SECONDS = env.float("FUSION_SHUTDOWN_GRACE_SECONDS", 5)
# Web processes on this site's socket, as whoever starts them says (console/site/processes.py).
WEB_PROCESSES = env.str("FUSION_WEB_PROCESSES", "") and env.int("FUSION_WEB_PROCESSES") or 1
# Sockets that may be open at once (console/live/places.py).
SOCKETS_PER_PERSON = env.int("FUSION_SOCKETS_PER_PERSON", 20)
SOCKETS_PER_ADDRESS = env.int("FUSION_SOCKETS_PER_ADDRESS", 100)
SOCKETS_PER_PROCESS = env.int("FUSION_SOCKETS_PER_PROCESS", 5000)
# How long a live viewer's permission is trusted before it is asked again.
PERMISSION_SECONDS = env.float("FUSION_PERMISSION_SECONDS", 3)
# A request that has failed for good is answered with that failure for so long, not asked again.
SAME_FAILURE_SECONDS = env.float("FUSION_SAME_FAILURE_SECONDS", 60)
# How long the status of an answer that is not streamed stays open, and how often white space
# keeps the connection after that: clients give up after 300 s, and idle ones are cut after 60.
OPEN_STATUS_SECONDS = env.float("FUSION_OPEN_STATUS_SECONDS", 240)
WHITE_SPACE_SECONDS = env.float("FUSION_WHITE_SPACE_SECONDS", 20)
# How long a stream may go without an event: LangChain waits 120 s for the next, whatever comments
# keep the connection open.
EMPTY_CHUNK_SECONDS = env.float("FUSION_EMPTY_CHUNK_SECONDS", 30)
# MCP clients give a tool up after 60 s, and know nothing then of the run that goes on.
MCP_ANSWER_SECONDS = env.float("FUSION_MCP_ANSWER_SECONDS", 50)
CHECKPOINT_SECONDS = env.float("FUSION_CHECKPOINT_SECONDS", 1.5)

# Search engines (console/research/engines.py): the first that is configured is asked. What a
# server of this network may be fetched is listed: networks, or a host with its port.
SEARCH_ENGINES = {
    "searxng": ("", env.str("SEARXNG_URL", "")),
    "tavily": (env.str("TAVILY_API_KEY", ""), env.str("TAVILY_BASE_URL", "")),
    "brave": (env.str("BRAVE_API_KEY", ""), env.str("BRAVE_BASE_URL", "")),
    "exa": (env.str("EXA_API_KEY", ""), env.str("EXA_BASE_URL", "")),
    "serper": (env.str("SERPER_API_KEY", ""), env.str("SERPER_BASE_URL", "")),
}
# US dollars: of a search with each engine, by what it asks for without a contract; `model`: of a
# search that a model makes itself, `result`: of a page that OpenRouter's plugin finds for it.
SEARCH_PRICES = {
    "searxng": Decimal(0),  # one's own
    "tavily": Decimal("0.008"),  # a credit
    "brave": Decimal("0.005"),  # $5 for a thousand
    "exa": Decimal("0.007"),  # $7 for a thousand of up to ten results each
    "serper": Decimal("0.001"),  # $50 for 50,000, the smallest that is sold
    # The dearest known, of OpenAI's models that search with much context: Perplexity's and others
    # cost $5 to $35 for a thousand. What is billed is what the provider says.
    "model": Decimal("0.05"),
    "result": Decimal("0.004"),  # $4 for a thousand
}
_prices: dict[str, Decimal] = env.dict("FUSION_SEARCH_PRICES", {}, subcast_values=Decimal)
for _of, _price in _prices.items():
    if _of not in SEARCH_PRICES or not _price >= 0:
        raise ImproperlyConfigured(
            f"FUSION_SEARCH_PRICES has the form {'=0.005,'.join(SEARCH_PRICES)}=0.004."
        )
    SEARCH_PRICES[_of] = _price
FETCH_ALLOW: list[str] = env.list("FUSION_FETCH_ALLOW", [])
FETCH_ROBOTS = env.bool("FUSION_FETCH_ROBOTS", True)

LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "redact": {"()": "console.site.logs.Redact"},
        "untraced": {"()": "console.site.logs.Untraced"},
        "unready": {"()": "console.site.logs.Unready"},
        "meant": {"()": "console.site.logs.Meant"},
    },
    "formatters": {"line": {"()": "console.site.logs.OneLine"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["redact", "untraced"],
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL},
        "django.request": {"filters": ["unready"]},
        "django.server": {"handlers": [], "propagate": True},
        # These write requests, headers included, at DEBUG.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "daphne.server": {"filters": ["meant"]},
        # These write whole pages and queries, prompts included, at DEBUG.
        "django.template": {"level": "INFO"},
        "django.db.backends": {"level": "INFO"},
        "asyncio": {"level": "WARNING"},
        "markdown_it": {"level": "WARNING"},
    },
}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
