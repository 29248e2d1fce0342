"""What went wrong between here and a hub, told apart: each cause with its own remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx  # type: ignore[attr-defined] # its HTTP client, a name it promises to keep

from arplay.core.errors import Problem
from arplay.models.store.hub import Name, cache_folder

_AGAIN = "get the model again; it goes on where it stopped"


def why(error: BaseException, name: Name) -> Problem:
    """What ``error``, or what it was raised from, means for the model ``name``."""
    for cause in _chain(error):
        problem = _known(cause, name)
        if problem is not None:
            return problem
    lines = str(error).strip().splitlines() or [""]
    return Problem(f"the hub's client failed with {type(error).__name__}: {lines[0][:200]}", "try again later")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__ or error
    # first those that say more than what wraps them or lies within
    for known in (Problem, HfHubHTTPError, OfflineModeIsEnabled, httpx.TransportError):
        yield from (cause for cause in seen if isinstance(cause, known))
    yield from reversed(seen)  # then from the innermost, which knows what happened


def _known(error: BaseException, name: Name) -> Problem | None:
    match error:
        case Problem():
            return error
        case HfHubHTTPError():
            return _answered(error, name)
        case OfflineModeIsEnabled():
            return Problem("HF_HUB_OFFLINE forbids to ask the hub", "unset it (and TRANSFORMERS_OFFLINE) and try again")
        case httpx.ProxyError():
            return Problem(f"the proxy {_proxy() or ''} refused ({error})", "check HTTPS_PROXY and NO_PROXY")
        case httpx.ConnectError() if _proxy():
            return Problem(f"the proxy {_proxy()} cannot be reached", "check HTTPS_PROXY and NO_PROXY")
        case httpx.ConnectError() if "CERTIFICATE" in str(error).upper():
            return Problem(f"the certificate of {_host()} is not trusted", "name your certificates in SSL_CERT_FILE")
        case httpx.ConnectError():
            reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
            return Problem(f"{_host()} cannot be reached ({reason})", "check the network connection, or HF_ENDPOINT")
        case httpx.TimeoutException():
            return Problem(f"{_host()} does not answer", _AGAIN)
        case httpx.TransportError():
            return Problem(f"the connection to {_host()} was cut ({error})", _AGAIN)
        case EntryNotFoundError():
            return _no_file(name)
        case OSError():
            return of_disk(error)
    return None


def of_disk(error: OSError) -> Problem | None:
    """What an error of writing into the cache means; None for one that is not of a disk."""
    place = cache_folder()
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Problem(f"the disk of {place} became full", f"free some space there; {_AGAIN}")
        case errno.EFBIG:
            return Problem(f"a file so large cannot be written in {place}", "set HF_HOME to a folder of another disk")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Problem(f"{error.filename or place} cannot be written", "make it writable, or set HF_HOME")
    if str(error).startswith("Consistency check failed"):
        return Problem(f"{_host()} sent less of a file than it promised", _AGAIN)
    if error.errno is not None:
        return Problem(f"{error.filename or place}: {error.strerror}", "check the disk, or set HF_HOME to another")
    return None


def _answered(error: HfHubHTTPError, name: Name) -> Problem:
    """The hub answered, but not with what was asked for."""
    repository, host = name.repository, _host()
    status = error.response.status_code
    page = f"{constants.ENDPOINT}/{repository}"
    with_token = get_token() is not None
    if isinstance(error, GatedRepoError):
        if with_token:
            return Problem(
                f"{repository} is gated and the account of your token has no access yet", f"ask for it at {page}"
            )
        return Problem(f"{repository} is gated", f"accept its terms at {page}, then set HF_TOKEN to your token")
    if isinstance(error, RevisionNotFoundError):
        return Problem(f"{repository} has no revision {name.revision or 'main'}", f"look at {page} for its branches")
    if isinstance(error, EntryNotFoundError):
        return _no_file(name)
    if isinstance(error, DisabledRepoError):
        return Problem(f"{repository} was disabled by the hub", f"read why at {page}")
    if status == 401 and with_token and not isinstance(error, RepositoryNotFoundError):
        return Problem(
            f"{host} does not accept your HF_TOKEN", f"make a new one at {constants.ENDPOINT}/settings/tokens"
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        if with_token:
            return Problem(f"{host} has no model {repository} that your token may see", "check the name")
        return Problem(
            f"{host} has no public model {repository}", "check the name; for a private one set HF_TOKEN to your token"
        )
    if status == 403:
        return Problem(f"your token may not read {repository}", f"give it the right to read at {page}")
    if status == 407:
        return Problem(f"the proxy {_proxy() or ''} wants a password", "put user:password@ into HTTPS_PROXY")
    if status == 429:
        return Problem(f"{host} was asked too often", f"wait {_wait(error)} and try again; HF_TOKEN raises the limit")
    if status >= 500:
        return Problem(f"{host} is in trouble (HTTP {status})", "try again in some minutes")
    return Problem(f"{host} answered HTTP {status}", "check HF_ENDPOINT, or try again later")


def _wait(error: HfHubHTTPError) -> str:
    after = error.response.headers.get("Retry-After", "")
    return f"{after} seconds" if after.isdigit() else "some minutes"


def _no_file(name: Name) -> Problem:
    missing = f"has no file {name.file}" if name.file else "lacks a file that its own list names"
    return Problem(f"{name.repository} {missing}", "look at its page for what there is")


def _host() -> str:
    return urlsplit(constants.ENDPOINT).netloc or constants.ENDPOINT


def _proxy() -> str:
    """The proxy that requests to the hub go through, without its password; "" if there is none."""
    there = urlsplit(constants.ENDPOINT)
    if proxy_bypass(there.hostname or ""):
        return ""
    proxies = getproxies()
    proxy = proxies.get(there.scheme) or proxies.get("all") or ""
    return proxy.rpartition("@")[2].rpartition("//")[2].rstrip("/" + os.sep)
