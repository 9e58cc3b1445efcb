"""`dezero.download`: a file that has its final name is whole, whatever the network did."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dezero import download
from dezero.download import DownloadError, RemoteFile, get_cache_dir, get_file, show_progress

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(handler: BaseHTTPRequestHandler, content: bytes, length: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)


class Server:
    """An HTTP server on 127.0.0.1 whose answers the test sets, and that counts its requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                if self.path in outer.answers:
                    outer.answers[self.path](self)
                else:
                    self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *args: None  # type: ignore[method-assign]
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"

    def close(self) -> None:
        self.release.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEZERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


def test_a_file_is_fetched_once_and_then_read_from_the_cache(server: Server, cache: Path) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    first = get_file(server.url("/a.bin"), sha256=SHA256)
    second = get_file(server.url("/a.bin"), sha256=SHA256)
    assert first == second == str(cache / "a.bin")
    assert Path(first).read_bytes() == CONTENT
    assert server.requests == ["/a.bin"]
    assert os.listdir(cache) == ["a.bin"]


def test_the_file_can_have_another_name_and_the_query_is_no_part_of_it(server: Server) -> None:
    server.answers["/a.bin?key=1"] = lambda h: send(h, b"x")
    assert os.path.basename(get_file(server.url("/a.bin?key=1"))) == "a.bin"
    assert os.path.basename(get_file(server.url("/a.bin?key=1"), "b.bin")) == "b.bin"


def test_a_truncated_download_is_refused_without_a_hash_too(server: Server, cache: Path) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT[:1000], length=len(CONTENT))
    with pytest.raises(DownloadError, match=f"it sent 1000 of {len(CONTENT)} bytes"):
        get_file(server.url("/a.bin"))
    assert os.listdir(cache) == []


def test_a_tampered_download_is_refused(server: Server, cache: Path) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT[:-1] + b"!")
    with pytest.raises(DownloadError, match=rf"its SHA-256 is \w+, not {SHA256}"):
        get_file(server.url("/a.bin"), sha256=SHA256)
    assert os.listdir(cache) == []


def test_the_next_mirror_is_asked_when_one_has_no_file_or_the_wrong_one(server: Server) -> None:
    server.answers["/tampered"] = lambda h: send(h, b"evil")
    server.answers["/good"] = lambda h: send(h, CONTENT)
    mirrors = [server.url("/tampered"), server.url("/good"), server.url("/never")]
    path = get_file(server.url("/missing.bin"), sha256=SHA256, mirrors=mirrors)
    assert Path(path).read_bytes() == CONTENT
    assert os.path.basename(path) == "missing.bin"
    assert server.requests == ["/missing.bin", "/tampered", "/good"]


def test_one_line_says_every_source_that_was_tried_and_why_it_failed(server: Server) -> None:
    server.answers["/short"] = lambda h: send(h, b"1", length=2)
    with pytest.raises(OSError) as caught:
        get_file(server.url("/a.bin"), mirrors=[server.url("/short"), "http://127.0.0.1:1/x"])
    message = str(caught.value)
    assert isinstance(caught.value, DownloadError)
    assert "\n" not in message
    assert f"{server.url('/a.bin')} (HTTP 404 Not Found)" in message
    assert f"{server.url('/short')} (it sent 1 of 2 bytes)" in message
    assert "http://127.0.0.1:1/x (" in message
    assert "put the file at" in message


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_goes_silent_does_not_hang_the_program(
    server: Server, cache: Path, begun: bool
) -> None:
    def stall(handler: BaseHTTPRequestHandler) -> None:
        if begun:
            send(handler, CONTENT[:100], length=len(CONTENT))
        server.release.wait(20)

    server.answers["/a.bin"] = stall
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"no answer for 0\.2 s"):
        get_file(server.url("/a.bin"), timeout=0.2)
    assert time.monotonic() - start < 10
    assert os.listdir(cache) == []


def test_a_killed_download_is_never_used(server: Server, cache: Path) -> None:
    half_sent = threading.Event()

    def half(handler: BaseHTTPRequestHandler) -> None:
        send(handler, CONTENT[: len(CONTENT) // 2], length=len(CONTENT))
        half_sent.set()
        server.release.wait(20)

    server.answers["/a.bin"] = half
    code = "import sys; from dezero.download import get_file; get_file(sys.argv[1])"
    child = subprocess.Popen(
        [sys.executable, "-c", code, server.url("/a.bin")], stderr=subprocess.DEVNULL
    )
    try:
        assert half_sent.wait(20)
        deadline = time.monotonic() + 10
        while not any(part.stat().st_size for part in cache.glob("*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        child.kill()
        child.wait()
    left = [part.name for part in cache.iterdir()]
    assert len(left) == 1 and left[0].endswith(".part")

    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    assert Path(get_file(server.url("/a.bin"))).read_bytes() == CONTENT


def test_what_killed_downloads_left_is_removed_a_day_later(server: Server, cache: Path) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    cache.mkdir()
    old, young = cache / "a.bin.1.part", cache / "a.bin.2.part"
    for part in (old, young):
        part.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    get_file(server.url("/a.bin"))
    assert sorted(os.listdir(cache)) == ["a.bin", "a.bin.2.part"]


def test_an_interrupted_download_leaves_nothing(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    monkeypatch.setattr(download, "show_progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        get_file(server.url("/a.bin"))
    assert os.listdir(cache) == []


def test_a_corrupt_cached_file_is_fetched_again(
    server: Server, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    cache.mkdir()
    (cache / "a.bin").write_bytes(CONTENT[:1000])
    path = get_file(server.url("/a.bin"), sha256=SHA256)
    assert Path(path).read_bytes() == CONTENT
    assert "does not have the declared SHA-256; fetching it again" in capfd.readouterr().err


def test_a_cached_file_that_changes_after_it_was_checked_is_fetched_again(server: Server) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    path = Path(get_file(server.url("/a.bin"), sha256=SHA256))
    path.write_bytes(b"short")
    get_file(server.url("/a.bin"), sha256=SHA256)
    assert path.read_bytes() == CONTENT


def test_a_file_put_into_the_cache_by_hand_needs_no_network_and_is_hashed_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    (cache / "a.bin").write_bytes(CONTENT)
    url = "http://127.0.0.1:1/a.bin"
    assert get_file(url, sha256=SHA256.upper()) == str(cache / "a.bin")

    def hashed_again() -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr("dezero.download.hashlib.sha256", hashed_again)
    assert get_file(url, sha256=SHA256) == str(cache / "a.bin")


def fetch_in_another_process(url: str, results: multiprocessing.Queue[str]) -> None:
    with open(get_file(url, sha256=SHA256), "rb") as file:
        results.put(hashlib.sha256(file.read()).hexdigest())


def test_two_processes_can_fetch_the_same_file_at_once(server: Server, cache: Path) -> None:
    together = threading.Barrier(2)

    def wait_for_the_other(handler: BaseHTTPRequestHandler) -> None:
        together.wait(60)
        send(handler, CONTENT)

    server.answers["/a.bin"] = wait_for_the_other
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    children = [
        context.Process(target=fetch_in_another_process, args=(server.url("/a.bin"), results))
        for _ in range(2)
    ]
    for child in children:
        child.start()
    assert [results.get(timeout=60) for _ in children] == [SHA256, SHA256]
    for child in children:
        child.join()
    assert len(server.requests) == 2
    assert os.listdir(cache) == ["a.bin"]


def test_a_file_url_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(CONTENT)
    path = get_file(source.as_uri(), sha256=SHA256)
    assert Path(path).read_bytes() == CONTENT and path != str(source)
    with pytest.raises(DownloadError, match="No such file"):
        get_file((tmp_path / "none.txt").as_uri())


@pytest.mark.parametrize("url", ["ftp://x/a", "data:,hello", "/etc/passwd", "a.txt", ""])
def test_only_http_and_file_urls_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="a URL starts with http://, https:// or file://"):
        get_file(url, "a")
    with pytest.raises(ValueError, match="a URL starts with"):
        get_file("http://127.0.0.1:1/a", mirrors=[url])


def test_a_redirection_cannot_leave_http(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", secret.as_uri())
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answers["/a.bin"] = redirect
    with pytest.raises(DownloadError, match="HTTP 302"):
        get_file(server.url("/a.bin"))


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "a\\b", "/etc/passwd"])
def test_a_file_name_cannot_lead_out_of_the_cache(name: str) -> None:
    with pytest.raises(ValueError, match="is no file name"):
        get_file("http://127.0.0.1:1/a", name)
    with pytest.raises(ValueError, match="is no file name"):
        get_file("http://127.0.0.1:1/a/%2e%2e")


def test_a_wrong_hash_or_timeout_argument_is_said_before_anything_is_fetched() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits; got 'abc'"):
        get_file("http://127.0.0.1:1/a", sha256="abc")
    with pytest.raises(ValueError, match="timeout is seconds and more than 0; got 0"):
        get_file("http://127.0.0.1:1/a", timeout=0)


def test_a_full_disk_is_not_blamed_on_the_network(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    monkeypatch.setattr("dezero.download.os.fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        get_file(server.url("/a.bin"), mirrors=[server.url("/b.bin")])
    assert not isinstance(caught.value, DownloadError)
    assert server.requests == ["/a.bin"]
    assert os.listdir(cache) == []


def test_the_cache_folder_is_in_the_home_folder_unless_the_environment_says_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEZERO_CACHE", str(tmp_path))
    assert get_cache_dir() == str(tmp_path)
    monkeypatch.delenv("DEZERO_CACHE")
    assert get_cache_dir() == os.path.join(os.path.expanduser("~"), ".dezero")
    assert isinstance(download.cache_dir, str)


def test_progress_goes_to_standard_error(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answers["/a.bin"] = lambda h: send(h, CONTENT)
    get_file(server.url("/a.bin"))
    out, err = capfd.readouterr()
    assert out == ""
    assert f"Downloading: {server.url('/a.bin')}" in err
    assert f"[{'#' * 30}] 100.00%\n" in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, 10, 100), f"\r[{'.' * 30}] 0.00%"),
        ((5, 10, 100), f"\r[{'#' * 15}{'.' * 15}] 50.00%"),
        ((11, 10, 100), f"\r[{'#' * 30}] 100.00%"),
        ((3, 1000, -1), "\r3,000 bytes"),
        ((3, 1000, 0), "\r3,000 bytes"),
    ],
)
def test_the_bar_shows_the_part_done_and_survives_an_unknown_size(
    arguments: tuple[int, int, int], text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    show_progress(*arguments)
    assert capfd.readouterr().err == text


def test_a_download_without_a_length_works(server: Server) -> None:
    def without_length(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(CONTENT)

    server.answers["/a.bin"] = without_length
    assert Path(get_file(server.url("/a.bin"))).read_bytes() == CONTENT


def test_a_remote_file_carries_its_hash_mirrors_and_name(server: Server, cache: Path) -> None:
    server.answers["/mirror"] = lambda h: send(h, CONTENT)
    remote = RemoteFile(server.url("/none"), SHA256, (server.url("/mirror"),), "b.bin")
    assert remote.fetch() == str(cache / "b.bin")
    wrong = RemoteFile(server.url("/mirror"), "0" * 64)
    with pytest.raises(DownloadError, match="its SHA-256 is"):
        wrong.fetch()
