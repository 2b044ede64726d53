"""Files behind URLs, each on a real server of its kind."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import asyncssh
import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from rigbridge.errors import ConfigurationError, SourceUnreadableError
from rigbridge.sources import Scan, Selection
from rigbridge.sources.remote import is_url, shown_url

LARGE = os.urandom(5 << 20)


def tree() -> dict[str, bytes]:
    """Files below a folder, an archive among them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("in.xml", "<in/>")
    return {
        "a.xml": b"<a/>",
        "day 1/b.xml": b"<b/>",
        "day 1/large.bin": LARGE,
        "r.zip": stream.getvalue(),
        ".hidden/c.xml": b"<c/>",
    }


EXPECTED = {
    "a.xml": b"<a/>",
    "r.zip!/in.xml": b"<in/>",
    "day 1/b.xml": b"<b/>",
    "day 1/large.bin": LARGE,
}


def read(url: str, selection: Selection | None = None) -> dict[str, bytes]:
    """Read all behind a URL, as another process does, by the path below it."""
    found: dict[str, bytes] = {}
    with Scan((url,), selection) as scan:
        for item in scan:
            sent = pickle.loads(pickle.dumps(item))  # noqa: S301 - our own
            source = sent.source()
            with source.open() as stream:
                found[sent.uri] = stream.read()
            assert source.digest
            assert sent.size == len(found[sent.uri])
    base = shown_url(url).rstrip("/") + "/"
    return {uri.removeprefix(base): content for uri, content in found.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as files."""
    root = tmp_path_factory.mktemp("served")
    for name, content in tree().items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The tree in a bucket of an S3 that answers over HTTP."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        # It keeps the connections of an address that tests before may have set.
        S3FileSystem.clear_instance_cache()
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="reports")
        for name, content in tree().items():
            client.put_object(Bucket="reports", Key=f"line/{name}", Body=content)
        yield "s3://reports/line"
    server.stop()
    S3FileSystem.clear_instance_cache()


class TestS3:
    """A bucket is like a folder."""

    def test_all_below_a_prefix_is_read(self, bucket: str) -> None:
        """Archives are opened, hidden names left."""
        assert read(bucket) == EXPECTED

    def test_one_object_is_read(self, bucket: str) -> None:
        """Named by its URL."""
        assert list(read(f"{bucket}/day 1/b.xml").values()) == [b"<b/>"]

    def test_patterns_choose(self, bucket: str) -> None:
        """In the URL, and below it."""
        assert list(read(f"{bucket}/*/b*.xml").values()) == [b"<b/>"]
        assert list(read(bucket, Selection(exclude=("day*", "*.zip")))) == ["a.xml"]

    def test_the_time_of_the_object_is_known(self, bucket: str) -> None:
        """By it a second import leaves the object alone."""
        (found,) = Scan((f"{bucket}/a.xml",))
        assert found.mtime_ns
        assert found.path is None

    def test_what_is_not_there_is_said(self, bucket: str) -> None:
        """As for a file of this machine."""
        (found,) = Scan((f"{bucket}/none.xml",))
        with pytest.raises(SourceUnreadableError, match="there is no such file"):
            _ = found.source().head


class _Login(asyncssh.SSHServer):
    connections: ClassVar[list[asyncssh.SSHServerConnection]] = []

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return bool(username)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("rig", "se:cret")


@pytest.fixture(scope="module")
def ssh(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of SFTP for the tree, which known_hosts knows."""
    home = tmp_path_factory.mktemp("home")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def serve() -> asyncssh.SSHAcceptor:
        """Listen at a free port."""
        return await asyncssh.create_server(
            _Login,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=partial(asyncssh.SFTPServer, chroot=os.fsencode(folder)),
        )

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(30)
    port = server.get_port()
    (home / ".ssh").mkdir()
    public = key.export_public_key().decode()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        yield f"sftp://rig:se%3Acret@127.0.0.1:{port}"

    async def stop() -> None:
        server.close()
        for connection in _Login.connections:
            connection.abort()
            await connection.wait_closed()

    # What is left open would be a warning in a test that comes later.
    asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class TestSFTP:
    """A server of SFTP is like a folder."""

    def test_all_below_a_folder_is_read(self, ssh: str) -> None:
        """Archives are opened, hidden names left."""
        assert read(ssh) == EXPECTED

    def test_the_password_is_shown_nowhere(self, ssh: str) -> None:
        """Neither in an address nor in an error."""
        (found,) = Scan((f"{ssh}/none.xml",))
        with pytest.raises(SourceUnreadableError) as caught:
            _ = found.source().head
        shown = f"{found!r} {found.key!r} {caught.value}"
        assert "rig@127.0.0.1" in shown
        assert "cret" not in shown

    def test_an_unknown_host_is_refused(
        self, ssh: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Who answers there may be anybody."""
        monkeypatch.setenv("HOME", str(tmp_path))
        (found,) = Scan((ssh.replace("127.0.0.1", "localhost"),))
        with pytest.raises(SourceUnreadableError, match="cannot be reached"):
            _ = found.source().head


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        del format, args


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[str]:
    """A web server that lists its folders."""
    handler = partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestWeb:
    """One file behind an address, or a page that lists files."""

    def test_a_file_is_read(self, web: str) -> None:
        """Also a large one."""
        assert list(read(f"{web}/day%201/large.bin").values()) == [LARGE]

    def test_what_is_not_there_is_said(self, web: str) -> None:
        """By the answer of the server."""
        (found,) = Scan((f"{web}/none.xml",))
        with pytest.raises(SourceUnreadableError, match="no such file"):
            _ = found.source().head


class TestAddresses:
    """URLs and paths are told apart; secrets are not shown."""

    @pytest.mark.parametrize("text", ["s3://b/x", "sftp://h/x", "https://h/x"])
    def test_urls(self, text: str) -> None:
        """By their scheme."""
        assert is_url(text)

    @pytest.mark.parametrize("text", ["C://x", "a/b://c", "x:/y", "://x", ""])
    def test_paths(self, text: str) -> None:
        """Also those that look a little like one."""
        assert not is_url(text)

    def test_a_query_is_not_shown(self) -> None:
        """A signed address grants access by it."""
        assert shown_url("https://u:p@h/x?sig=1") == "https://u@h/x?..."

    def test_a_scheme_that_nobody_knows_is_said(self) -> None:
        """Before anything is read."""
        with pytest.raises(ConfigurationError, match="is no address"):
            list(Scan(("gopher2://h/x",)))
