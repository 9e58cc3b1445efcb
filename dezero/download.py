"""Files from the network, kept in one folder and checked before anybody reads them.

A download is written under a temporary name, compared with the length and the SHA-256 that were
declared for it, and only then given its final name, in one step. So a file that has its final
name is whole, whatever happened to the process that fetched it.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

__all__ = [
    "DownloadError",
    "RemoteFile",
    "cache_dir",
    "get_cache_dir",
    "get_file",
    "show_progress",
]

_BLOCK = 1 << 16
_SCHEMES = ("http", "https", "file")
_STALE_SECONDS = 24 * 60 * 60
_SECONDS_BETWEEN_BARS = 0.1

# What was found right once is not hashed again: (path, sha256, size, time of the last write).
_verified: set[tuple[str, str, int, int]] = set()


class DownloadError(OSError):
    """No source of a file could be read; the message lists each one with its reason.

    Examples
    --------
    >>> issubclass(DownloadError, OSError)
    True
    """


class _SourceFailed(Exception):
    """One source did not give the file; the next one may."""


def get_cache_dir() -> str:
    """Return the folder where downloads are kept.

    It is the environment variable ``DEZERO_CACHE`` if that is set when the function is called,
    else ``~/.dezero``.

    Returns
    -------
    str
        An absolute path; the folder need not exist yet.

    Examples
    --------
    >>> import os
    >>> os.path.isabs(get_cache_dir())
    True
    """
    chosen = os.environ.get("DEZERO_CACHE") or os.path.join("~", ".dezero")
    return os.path.abspath(os.path.expanduser(chosen))


cache_dir: str = get_cache_dir()


def show_progress(block_num: int, block_size: int, total_size: int) -> None:
    r"""Draw a progress bar on standard error, over the one drawn before.

    Parameters
    ----------
    block_num : int
        Blocks received so far.
    block_size : int
        Bytes in a block.
    total_size : int
        Bytes in the whole file; 0 or less means unknown, and then the bytes so far are shown.

    Notes
    -----
    Book: step 52 and ``dezero/utils.py``. The signature is that of the ``reporthook`` of
    `urllib.request.urlretrieve`.

    Examples
    --------
    >>> import contextlib, io
    >>> with contextlib.redirect_stderr(io.StringIO()) as bar:
    ...     show_progress(1, 50, 100)
    >>> bar.getvalue()
    '\r[###############...............] 50.00%'
    """
    received = block_num * block_size
    if total_size > 0:
        part = min(max(received / total_size, 0.0), 1.0)
        done = int(part * 30)
        text = f"[{'#' * done}{'.' * (30 - done)}] {part * 100:.2f}%"
    else:
        text = f"{received:,} bytes"
    print("\r" + text, end="", file=sys.stderr, flush=True)


def get_file(
    url: str,
    file_name: str | None = None,
    *,
    sha256: str | None = None,
    mirrors: Iterable[str] = (),
    timeout: float = 30.0,
) -> str:
    """Return the path of a downloaded file, fetching it only if it is not in the cache.

    Parameters
    ----------
    url : str
        An ``http``, ``https`` or ``file`` URL.
    file_name : str, optional
        Name in the cache folder; by default the last part of the URL's path.
    sha256 : str, optional
        SHA-256 of the content, 64 hexadecimal digits. A cached file is compared with it once in
        a process, and fetched again if it differs. Without it a cached file is taken as it is.
    mirrors : iterable of str, optional
        Other URLs of the same file, tried in turn when `url` fails.
    timeout : float, optional
        Seconds to wait for a source that sends nothing.

    Returns
    -------
    str
        Path of the file in `get_cache_dir()`.

    Raises
    ------
    DownloadError
        If no source gave the file: an `OSError` of one line with every reason.
    ValueError
        If a URL, the file name, the hash or the timeout is not usable.

    Notes
    -----
    Book: step 52 and ``dezero/utils.py``.

    Examples
    --------
    >>> import os, pathlib, tempfile
    >>> from unittest.mock import patch
    >>> with (
    ...     tempfile.TemporaryDirectory() as folder,
    ...     patch.dict(os.environ, DEZERO_CACHE=os.path.join(folder, "cache")),
    ... ):
    ...     source = pathlib.Path(folder, "a.txt")
    ...     _ = source.write_text("hello")
    ...     path = get_file(source.resolve().as_uri())
    ...     print(pathlib.Path(path).read_text())
    hello
    """
    sources = _checked_sources(url, mirrors)
    wanted = _checked_sha256(sha256)
    if not timeout > 0:
        raise ValueError(f"get_file: timeout is seconds and more than 0; got {timeout!r}")
    name = _checked_name(url, file_name)
    folder = get_cache_dir()
    path = os.path.join(folder, name)
    if _is_good(path, wanted):
        return path

    os.makedirs(folder, exist_ok=True)
    _remove_stale_parts(path)
    tried = []
    for source in sources:
        try:
            _download(source, path, wanted, timeout)
            return path
        except _SourceFailed as failure:
            tried.append(f"{source} ({failure})")
    raise DownloadError(
        f"get_file: could not get {name!r}; tried {'; '.join(tried)}. "
        f"Check the network, or put the file at {path} yourself."
    )


class RemoteFile(NamedTuple):
    """A file on the network with what is needed to check it.

    Attributes
    ----------
    url : str
        First place to look.
    sha256 : str or None
        Hash of the content.
    mirrors : tuple of str
        Other places.
    file_name : str or None
        Name in the cache folder, by default the last part of `url`.

    Examples
    --------
    >>> RemoteFile("https://example.org/a.gz").sha256 is None
    True
    """

    url: str
    sha256: str | None = None
    mirrors: tuple[str, ...] = ()
    file_name: str | None = None

    def fetch(self) -> str:
        """Return the path of the file in the cache, downloaded if need be (see `get_file`).

        Returns
        -------
        str
            The path.

        Raises
        ------
        DownloadError
            If no source gave the file.
        """
        return get_file(self.url, self.file_name, sha256=self.sha256, mirrors=self.mirrors)


def _checked_sources(url: str, mirrors: Iterable[str]) -> list[str]:
    sources = [url, *([mirrors] if isinstance(mirrors, str) else mirrors)]
    for source in sources:
        if not isinstance(source, str) or urlsplit(source).scheme.lower() not in _SCHEMES:
            raise ValueError(
                f"get_file: a URL starts with http://, https:// or file://; got {source!r}"
            )
    return sources


def _checked_sha256(sha256: str | None) -> str | None:
    if sha256 is None:
        return None
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"get_file: sha256 is 64 hexadecimal digits; got {sha256!r}")
    return sha256.lower()


def _checked_name(url: str, file_name: str | None) -> str:
    name = file_name if file_name is not None else unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    if name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        hint = "pass file_name=" if file_name is None else "the cache folder has no sub-folders"
        raise ValueError(f"get_file: {name!r} is no file name ({hint}); url is {url!r}")
    return name


def _is_good(path: str, wanted: str | None) -> bool:
    """Say whether the cached file may be used, hashing it the first time."""
    if not os.path.isfile(path):
        return False
    if wanted is None:
        return True
    state = os.stat(path)
    key = (path, wanted, state.st_size, state.st_mtime_ns)
    if key in _verified:
        return True
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() == wanted:
        _verified.add(key)
        return True
    print(
        f"get_file: {path} does not have the declared SHA-256; fetching it again", file=sys.stderr
    )
    return False


def _remove_stale_parts(path: str) -> None:
    """Delete what killed downloads of this file left behind, long enough ago to be dead."""
    for part in glob.glob(glob.escape(path) + ".*.part"):
        with suppress(OSError):
            if time.time() - os.path.getmtime(part) > _STALE_SECONDS:
                os.remove(part)


def _download(source: str, path: str, wanted: str | None, timeout: float) -> None:
    part = f"{path}.{uuid.uuid4().hex}.part"
    print(f"Downloading: {source}", file=sys.stderr)
    try:
        digest = hashlib.sha256()
        with open(part, "xb") as file:
            for block in _blocks(source, timeout):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if wanted is not None and digest.hexdigest() != wanted:
            raise _SourceFailed(f"its SHA-256 is {digest.hexdigest()}, not {wanted}")
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            os.remove(part)
    if wanted is not None:
        state = os.stat(path)
        _verified.add((path, wanted, state.st_size, state.st_mtime_ns))


def _blocks(source: str, timeout: float) -> Iterator[bytes]:
    """Yield the content of a URL; only what the source does wrong becomes `_SourceFailed`."""
    from http.client import HTTPException

    try:
        response = _opener().open(source, timeout=timeout)
    except (OSError, HTTPException, ValueError) as error:
        raise _SourceFailed(_reason(error, timeout)) from error
    with response:
        total = _content_length(response)
        received, shown = 0, 0.0
        while True:
            try:
                block = response.read(_BLOCK)
            except (OSError, HTTPException) as error:
                raise _SourceFailed(_reason(error, timeout)) from error
            if not block:
                break
            received += len(block)
            if time.monotonic() - shown > _SECONDS_BETWEEN_BARS:
                shown = time.monotonic()
                show_progress(received, 1, total)
            yield block
        show_progress(received, 1, total)
        print(file=sys.stderr)
    if total >= 0 and received != total:
        raise _SourceFailed(f"it sent {received} of {total} bytes")


def _content_length(response: Any) -> int:
    text = response.headers.get("Content-Length") or ""
    return int(text) if text.isascii() and text.isdigit() else -1


def _opener() -> OpenerDirector:
    """Build an opener of http, https and file URLs only: no ftp, not even by redirection."""
    import urllib.request as request

    opener = request.OpenerDirector()
    opener.addheaders = [("User-Agent", "dezero")]
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.FileHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _reason(error: Exception, timeout: float) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        error.close()
        return f"HTTP {error.code} {error.reason}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {timeout:g} s"
    return " ".join(str(cause).split()) or type(cause).__name__
