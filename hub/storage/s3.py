"""One bucket of an S3 store, in blocking calls: who uses it brings the threads.

The `minio` client speaks the protocol. It cannot make a PUT depend on what stands there, so such
calls go to a presigned address with the condition as a header. Nothing here repeats a call or waits
longer than its limits: a store that is away or slow is HubError(BLOBS_UNAVAILABLE), and the next
call finds out anew.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.response import BaseHTTPResponse

from hub.errors import HubError, Reason

_CONNECT_S: Final = 3.0
# Between two bytes, not for a whole answer: that is `_ANSWER_S`.
_SILENCE_S: Final = 5.0
_ANSWER_S: Final = 60.0
_CONNECTIONS_MAX: Final = 16
_PART_BYTES: Final = 8 * 1024 * 1024
_READ_BYTES: Final = 64 * 1024
_PRESIGNED: Final = timedelta(minutes=1)
_CREDENTIALS_BYTES_MAX: Final = 4096
_OTHERS_MODE: Final = 0o077
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchObject"})


class ConditionFailed(Exception):
    """Something else stands at the name than the call depends on."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where a store is and who we are to it; the secret stands in a file only."""

    endpoint: str
    region: str
    credentials_file: Path
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class KeptObject:
    """A small object, whole, and the tag of exactly this content."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing."""

    name: str
    size: int
    time_us: int


class Bucket:
    """A bucket that exists. Any thread may call it."""

    def __init__(self, settings: S3Settings, name: str) -> None:
        access_key, secret_key = _credentials(settings.credentials_file)
        self._name = name
        self._http = _pool(settings)
        self._client = Minio(
            settings.endpoint.partition("://")[2],
            access_key=access_key,
            secret_key=secret_key,
            secure=settings.endpoint.startswith("https://"),
            # Named, because asking the store for it would be a second call each time.
            region=settings.region,
            http_client=self._http,
        )

    def get(self, name: str, *, bytes_max: int) -> KeptObject | None:
        """A small object, or None where there is none. Raises HubError(BLOBS_UNAVAILABLE)."""
        with _failures():
            try:
                response = self._client.get_object(self._name, name)
            except S3Error as error:
                if error.code in _ABSENT:
                    return None
                raise
            with _closing(response):
                data = b"".join(read_bounded(response, bytes_max))
            return KeptObject(data, response.headers.get("etag", "").strip('"'))

    def create(self, name: str, data: bytes) -> str:
        """Write where nothing stands; the new tag. Raises ConditionFailed."""
        return self._put_when(name, data, {"If-None-Match": "*"})

    def replace(self, name: str, data: bytes, *, etag: str) -> str:
        """Write where exactly the content with `etag` stands; the new tag.

        Raises ConditionFailed; HubError(BLOBS_UNAVAILABLE), upon which it is open whether it was
        written.
        """
        return self._put_when(name, data, {"If-Match": f'"{etag}"'})

    def _put_when(self, name: str, data: bytes, condition: Mapping[str, str]) -> str:
        with _failures():
            url = self._client.presigned_put_object(self._name, name, expires=_PRESIGNED)
            response = self._http.urlopen(
                "PUT", url, body=data, headers={**condition, "Content-Length": str(len(data))}
            )
            # 404: what the condition speaks of is gone. 409: another write of the same object.
            if response.status in (404, 412) and b"NoSuchBucket" not in response.data:
                raise ConditionFailed(name)
            if response.status != 200:
                raise HubError(Reason.BLOBS_UNAVAILABLE, rule=f"HTTP {response.status}")
            return response.headers.get("etag", "").strip('"')

    def put(self, name: str, file: IO[bytes], size: int) -> None:
        """Write `size` bytes of `file`, durable on return; part by part where there are many.

        Each part is signed with its digest, so the store refuses what was damaged on the way.
        """
        with _failures():
            self._client.put_object(
                self._name,
                name,
                cast(BinaryIO, file),
                size,
                part_size=_PART_BYTES,
                num_parallel_uploads=1,
            )

    def open(self, name: str) -> BaseHTTPResponse | None:
        """An object to be read with `read_some` and closed; None where there is none."""
        with _failures():
            try:
                return self._client.get_object(self._name, name)
            except S3Error as error:
                if error.code in _ABSENT:
                    return None
                raise

    def remove(self, name: str) -> None:
        """Take an object away; nothing where there is none."""
        with _failures():
            self._client.remove_object(self._name, name)

    def page(self, prefix: str, after: str) -> list[ListedObject]:
        """Up to 1,000 objects in the order of their names, behind `after`."""
        with _failures():
            found: list[ListedObject] = []
            listing = self._client.list_objects(
                self._name, prefix=prefix, recursive=True, start_after=after or None
            )
            for one in listing:
                time_us = int(one.last_modified.timestamp() * 1e6) if one.last_modified else 0
                found.append(ListedObject(one.object_name or "", one.size or 0, time_us))
                if len(found) == 1000:
                    break
            return found

    def close(self) -> None:
        """Let go of every connection."""
        self._http.clear()


def read_some(response: BaseHTTPResponse) -> bytes:
    """The next bytes of an opened object, empty at its end. Raises HubError(BLOBS_UNAVAILABLE)."""
    with _failures():
        return response.read(_READ_BYTES)


def read_bounded(response: BaseHTTPResponse, bytes_max: int) -> Iterator[bytes]:
    """All of it, within a size and a time."""
    end, size = time.monotonic() + _ANSWER_S, 0
    while data := response.read(_READ_BYTES):
        size += len(data)
        if size > bytes_max or time.monotonic() > end:
            raise HubError(Reason.BLOBS_UNAVAILABLE, rule=f"an answer beyond {bytes_max} bytes")
        yield data


def close_response(response: BaseHTTPResponse) -> None:
    """Give the connection back where it was read to its end, else close it."""
    response.close()
    response.release_conn()


@contextmanager
def _closing(response: BaseHTTPResponse) -> Iterator[None]:
    try:
        yield
    finally:
        close_response(response)


@contextmanager
def _failures() -> Iterator[None]:
    """What the store or the way to it answers, in our words; its own text may name addresses."""
    try:
        yield
    except S3Error as error:
        raise HubError(Reason.BLOBS_UNAVAILABLE, rule=str(error.code)) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise HubError(Reason.BLOBS_UNAVAILABLE, rule=type(error).__name__) from error


def _pool(settings: S3Settings) -> urllib3.PoolManager:
    context = None
    if settings.endpoint.startswith("https://"):
        anchors = settings.ca_file
        context = ssl.create_default_context(cafile=str(anchors) if anchors else None)
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=_CONNECT_S, read=_SILENCE_S),
        maxsize=_CONNECTIONS_MAX,
        # Whoever asked decides about asking again. `False` also keeps presigned addresses out of
        # what is raised and therefore logged.
        retries=urllib3.Retry(total=False, redirect=False, raise_on_status=False),
        ssl_context=context,
    )


def _credentials(path: Path) -> tuple[str, str]:
    """Access key and secret key: the two lines of a file that only its owner reads.

    Raises HubError(FILE_UNREADABLE).
    """
    try:
        if path.stat().st_mode & _OTHERS_MODE:
            rule = "others may reach it; run: chmod 600"
            raise HubError(Reason.FILE_UNREADABLE, what="S3 credentials", path=path, rule=rule)
        with path.open("rb") as file:
            lines = file.read(_CREDENTIALS_BYTES_MAX).decode("ascii").split()
    except OSError as error:
        raise HubError(
            Reason.FILE_UNREADABLE, what="S3 credentials", path=path, rule=error.strerror
        ) from error
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 2:
        rule = "holds two lines: the access key and the secret key"
        raise HubError(Reason.FILE_UNREADABLE, what="S3 credentials", path=path, rule=rule)
    return lines[0], lines[1]
