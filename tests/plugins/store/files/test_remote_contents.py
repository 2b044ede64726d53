"""Contents in a bucket: what a client is told when the bucket has lost some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from rigbridge.wire import CreateRun, InitializeUpload
from rigbridge_store import RunStore


@pytest.fixture(name="bucket")
def _bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a bucket of a real server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    # It keeps the connections of an address that tests before may have set.
    S3FileSystem.clear_instance_cache()
    resource = boto3.resource("s3")
    try:
        yield resource.create_bucket(Bucket="kept")
    finally:
        resource.meta.client.close()
        server.stop()
        S3FileSystem.clear_instance_cache()


def test_lost_and_unreachable(
    tmp_path: Path,
    bucket: Any,
    make_body: Callable[..., CreateRun],
    serving: Callable[..., Any],
) -> None:
    """An object is given; once it is gone its file is 502, with the name."""
    with RunStore.open(tmp_path / "data", attachments="s3://kept/files") as store:
        ticket = store.uploads.initialize(InitializeUpload(name="a.bin"))
        store.uploads.store(ticket.id, ticket.token, [b"hello"], mime_type=None)
        run = store.create_run(make_body()).id
        store.link_uploads(run, [ticket.id])
        with serving(store, store.create_user_key("Jane")) as api:
            (file,) = list(store.show_run(run).attachments or ())
            path = f"/api/v1/attachments/{file.id}/download"
            assert api.get(path).content == b"hello"
            bucket.objects.all().delete()
            answer: httpx.Response = api.get(path)
        assert answer.status_code == 502
        assert answer.json()["code"] == "BAD_GATEWAY"
        assert "a.bin are missing" in answer.json()["message"]
