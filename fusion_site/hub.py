"""A file of weights from Hugging Face's hub (HF_ENDPOINT: another place that speaks as it does).

What is there is asked of its API, which also tells each file's sha256. A download goes on where
one before it broke off, and only a whole file with that sum gets its name.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from .terminal import fail, say

USUAL = "https://huggingface.co"
# The first that is there: what most people run, then what is nearest to it.
PREFERRED = (
    "Q4_K_M",
    "Q4_K_S",
    "Q4_K_L",
    "Q4_0",
    "Q4_1",
    "IQ4_XS",
    "Q5_K_M",
    "Q5_K_S",
    "Q6_K",
    "Q8_0",
)
ANSWER_LIMIT = 20_000_000
SILENCE = 60  # seconds
TRIES = 5
TOLD_EVERY = 5  # seconds
_BLOCK = 1024 * 1024
_PART_OF_SEVERAL = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES}
_NO_ANSWER = (urllib.error.URLError, http.client.HTTPException, OSError)


@dataclass(frozen=True)
class HubFile:
    repository: str
    revision: str
    name: str
    size: int
    sha256: str


def endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or USUAL).rstrip("/")


def find(repository: str, wanted: str) -> HubFile:
    """`wanted`: a file's name or its quantisation, or "". Raises SystemExit, with the choices."""
    told = _ask(repository)
    files = list(_files(repository, told))
    if not files:
        raise SystemExit(f"{repository} has no GGUF file that is whole: choose another repository.")
    chosen = choose([file.name for file in files], wanted)
    if not chosen:
        rows = "\n".join(f"  hf:{repository}:{f.name}  {gigabytes(f.size)}" for f in files)
        asked = f"{repository} has no file “{wanted}”." if wanted else "Which one?"
        raise SystemExit(f"{asked} {repository} has:\n{rows}")
    return next(file for file in files if file.name == chosen)


def choose(names: Sequence[str], wanted: str) -> str:
    """The one that is meant; "" where nobody can tell."""
    if wanted:
        for said in (str.__eq__, _is_named, _is_quantised):
            matching = [name for name in names if said(name, wanted)]
            if len(matching) == 1:
                return matching[0]
        return ""
    if len(names) == 1:
        return names[0]
    for quantisation in PREFERRED:
        matching = [name for name in names if _is_quantised(name, quantisation)]
        if len(matching) == 1:
            return matching[0]
    return ""


def download(file: HubFile, target: Path) -> None:
    """Raises SystemExit; what came so far stays for the next start."""
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = part.stat().st_size if part.exists() else 0
        if shutil.disk_usage(target.parent).free < file.size - there:
            free = gigabytes(shutil.disk_usage(target.parent).free)
            raise SystemExit(
                f"{file.name} has {gigabytes(file.size)}, and {target.parent} has room for {free}."
            )
        host = urlsplit(endpoint()).hostname
        say(f"Downloading {file.name} ({gigabytes(file.size)}) from {host} …")
        with part.open("ab") as out:
            _fetch(file, out)
        _check(file, part)
        part.replace(target)
    except OSError as e:
        raise fail(e, f"downloading {file.name}") from None


def gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _fetch(file: HubFile, out: BinaryIO) -> None:
    """Goes on as often as it breaks off, as long as more comes each time."""
    tries = 0
    while (before := out.tell()) < file.size:
        why = "it broke off"
        try:
            _fetch_rest(file, out)
        except urllib.error.HTTPError as e:
            e.close()
            why = f"HTTP status {e.code}"
            if e.code == 416:  # what is here is longer than what is there
                out.truncate(0)
                out.seek(0)
        except _NO_ANSWER as e:
            if getattr(e, "errno", None) in _OF_THE_DISK:
                raise
            why = str(getattr(e, "reason", e)) or why
        tries = 0 if out.tell() > before else tries + 1
        if tries == TRIES:
            raise SystemExit(
                f"Downloading {file.name} failed ({why}): start again, and it goes on from "
                f"{gigabytes(out.tell())}."
            )
        if tries:
            time.sleep(min(2**tries, 10) / 10)


def _fetch_rest(file: HubFile, out: BinaryIO) -> None:
    path = f"{quote(file.repository)}/resolve/{quote(file.revision)}/{quote(file.name)}"
    headers = {"Range": f"bytes={out.tell()}-"} if out.tell() else {}
    with _open(f"{endpoint()}/{path}", headers) as answer:
        if answer.status != 206:  # it begins anew, whatever was asked for
            out.truncate(0)
            out.seek(0)
        told = time.monotonic()
        while out.tell() < file.size:
            block = answer.read(min(_BLOCK, file.size - out.tell()))
            if not block:
                return
            out.write(block)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                share = 100 * out.tell() // file.size
                say(f"  … {gigabytes(out.tell())} of {gigabytes(file.size)} ({share} %)")


def _check(file: HubFile, part: Path) -> None:
    with part.open("rb") as whole:
        found = hashlib.file_digest(whole, "sha256").hexdigest()
    if found != file.sha256 or part.stat().st_size != file.size:
        part.unlink()
        raise SystemExit(
            f"{file.name} did not arrive as it was sent (its sha256 is another): start again."
        )


def _ask(repository: str) -> dict[str, Any]:
    host = urlsplit(endpoint()).hostname
    try:
        with _open(f"{endpoint()}/api/models/{quote(repository)}?blobs=true", {}) as answer:
            told = json.loads(answer.read(ANSWER_LIMIT))
    except urllib.error.HTTPError as e:
        e.close()
        if e.code in (401, 403, 404):
            raise SystemExit(
                f"{host} shows nobody a repository {repository}. Is its name right? One whose "
                "licence has to be accepted is to be downloaded by hand: give the file's path then."
            ) from None
        raise SystemExit(f"{host} answered with HTTP status {e.code}: try again later.") from None
    except ValueError:
        raise SystemExit(f"{host} did not answer as Hugging Face's hub does.") from None
    except _NO_ANSWER as e:
        reason = getattr(e, "reason", e)
        raise SystemExit(f"{host} cannot be reached ({reason}): check the network.") from None
    return told if isinstance(told, dict) else {}


def _files(repository: str, told: dict[str, Any]) -> Iterator[HubFile]:
    """Those that can be served: not parts of several, nor what only reads pictures."""
    rows = told.get("siblings")
    revision = told.get("sha")
    for row in rows if isinstance(rows, list) else []:
        name, large = (row.get("rfilename"), row.get("lfs")) if isinstance(row, dict) else ("", "")
        if not isinstance(name, str) or not isinstance(large, dict) or ".." in name:
            continue
        size, sha256 = large.get("size"), large.get("sha256")
        if not (isinstance(size, int) and re.fullmatch(r"[0-9a-f]{64}", str(sha256))):
            continue
        is_model = name.casefold().endswith(".gguf") and "mmproj" not in name.casefold()
        if is_model and not _PART_OF_SEVERAL.search(name):
            at = revision if isinstance(revision, str) and revision else "main"
            yield HubFile(repository, at, name, size, str(sha256))


def _is_named(name: str, wanted: str) -> bool:
    return name.rpartition("/")[2].casefold() == wanted.casefold()


def _is_quantised(name: str, wanted: str) -> bool:
    mark = re.escape(wanted.casefold())
    return bool(re.search(rf"(?<![a-z0-9]){mark}\.gguf$", name.casefold()))


class _NeverInTheClear(urllib.request.HTTPRedirectHandler):
    """To where the hub keeps its files, and never from https to anything else."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, url: str
    ) -> Any:
        if req.full_url.startswith("https:") and not url.startswith("https:"):
            raise urllib.error.URLError("it leads to an address without encryption")
        return super().redirect_request(req, fp, code, msg, headers, url)


def _open(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "Fusion", **headers})
    return urllib.request.build_opener(_NeverInTheClear).open(request, timeout=SILENCE)
