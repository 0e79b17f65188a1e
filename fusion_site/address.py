"""Where the site listens: the port is tried first, for nothing is worse than
learning after a minute of installing that it is taken."""

from __future__ import annotations

import argparse
import errno
import socket

# Connections that wait until a web server takes them.
WAITING = 511


def port_number(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535.")
    return int(text)


def take_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises SystemExit when it cannot be listened on."""
    with listen(host, port) as tried:
        return int(tried.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """Raises SystemExit, which says what stands in the way."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind)
        try:
            # So that a port just left is not "taken".
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(WAITING)
        except OSError:
            listening.close()
            raise
        return listening
    except socket.gaierror:
        raise SystemExit(f"{host!r} is no address of this machine: try --host 127.0.0.1.") from None
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            way_out = f"try --port {port + 1 if port < 65535 else 8000}"
            raise SystemExit(f"Port {port} on {host} is taken: {way_out}.") from None
        if e.errno in (errno.EACCES, errno.EPERM):
            raise SystemExit(f"Port {port} needs root here: try --port 8000.") from None
        raise SystemExit(
            f"{host}:{port} cannot be listened on ({e.strerror}): try --host 127.0.0.1."
        ) from None


def free_port() -> int:
    return take_port("127.0.0.1", 0)


def url(host: str, port: int) -> str:
    """As typed into a browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return f"http://{name}:{port}"
