"""The object store by S3: MinIO, or any other that speaks it."""

import io
import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import SnowballObject
from minio.error import MinioException, S3Error, ServerError
from minio.helpers import check_bucket_name
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from fashionmap.errors import BlobNotFound, BlobTooLarge, StoreUnavailable, UsageError

T = TypeVar("T")
MISSING = frozenset({"NoSuchKey", "NoSuchObject"})
NO_KEY = frozenset(
    {"XMinioInvalidObjectName", "KeyTooLongError", "InvalidObjectName", "InvalidURI"}
)
"""Codes that say that a key can never be one. All others (storage full, access denied, slow down …)
are the operator's to mend, and cost no photo."""


class MinioBlobStore:
    """Objects in one bucket, which is made on first use.

    Several objects go to MinIO in one call, as a tar that it unpacks; to other stores one by one.
    A call that fails is tried again with growing, jittered waits for ``patience`` seconds; then
    it is ``StoreUnavailable``. An address or a bucket that can be none is a ``UsageError`` at once.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        access_key: str,
        secret_key: str,
        bucket: str,
        secure: bool = False,
        region: str = "us-east-1",
        patience: float = 20.0,
        ca: Path | None = None,
        read_seconds: float = 60.0,
    ) -> None:
        timeout = urllib3.Timeout(connect=5, read=read_seconds)
        pool = urllib3.PoolManager(
            timeout=timeout,
            maxsize=16,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(ca or certifi.where()),
        )
        try:
            check_bucket_name(bucket, strict=True)
            self._client = Minio(
                endpoint,
                access_key=access_key or None,
                secret_key=secret_key or None,
                secure=secure,
                region=region,
                http_client=pool,
            )
        except ValueError as error:
            raise UsageError(f"The object store's settings make no sense: {error}.") from error
        self._bucket, self._patience, self._ready = bucket, patience, False
        self._unpacks: bool | None = None

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The whole object; ``BlobNotFound`` where there is none, ``BlobTooLarge`` beyond ``most``
        bytes."""

        def read() -> bytes:
            response = self._client.get_object(self._bucket, key)
            try:
                size = int(response.headers.get("Content-Length", 0))
                if most is not None and size > most:
                    raise BlobTooLarge(f"{key!r} has {size >> 20} MB; {most >> 20} are allowed.")
                data: bytes = response.read()
                return data
            finally:
                response.close()
                response.release_conn()

        return self._try(read, key)

    def put(self, key: str, data: bytes) -> None:
        """Writes the whole object at once."""

        def write() -> None:
            done = self._client.put_object(self._bucket, key, io.BytesIO(data), len(data))
            if self._unpacks is None:
                self._unpacks = done.http_headers.get("Server", "").startswith("MinIO")

        self._try(write, key)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Writes several objects, each at once, in no order."""
        rest = dict(objects)
        while rest and not (self._unpacks and len(rest) > 1):
            self.put(*rest.popitem())
        plain = all(posixpath.normpath(key) == key for key in rest)  # a tar's names are cleaned
        if rest and not (plain and self._put_packed(rest)):
            for key, data in rest.items():
                self.put(key, data)

    def _put_packed(self, objects: Mapping[str, bytes]) -> bool:
        """Writes objects in one call; False where the store refuses that, for whatever reason: one
        by one it says which object it means."""
        name = f"{len(objects)} objects"

        def write() -> bool:
            packed = [
                SnowballObject(key, data=io.BytesIO(data), length=len(data))
                for key, data in objects.items()
            ]
            try:
                self._client.upload_snowball_objects(self._bucket, packed)
            except S3Error as error:
                if error.code == "AccessDenied":
                    self._unpacks = False
                return False
            return True

        return self._try(write, name)

    def put_file(self, key: str, path: Path) -> None:
        """Uploads a local file in parts and removes it."""
        self._try(lambda: self._client.fput_object(self._bucket, key, str(path)), key)
        path.unlink()

    def exists(self, key: str) -> bool:
        """Whether an object lies under the key."""
        try:
            self._try(lambda: self._client.stat_object(self._bucket, key), key)
        except BlobNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""
        self._try(lambda: self._client.remove_object(self._bucket, key), key)

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in ascending order."""

        def read() -> list[str]:
            found = self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
            return sorted(str(item.object_name) for item in found)

        yield from self._try(read, prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """Names between the prefix and the next slash, in ascending order."""

        def read() -> list[str]:
            found = self._client.list_objects(self._bucket, prefix=prefix)
            names = [str(item.object_name) for item in found if item.is_dir]
            return sorted(name.removeprefix(prefix).rstrip("/") for name in names)

        yield from self._try(read, prefix)

    def check(self) -> None:
        """Asks once whether the store answers; ``StoreUnavailable`` where it does not."""
        self._call(lambda: self._client.bucket_exists(self._bucket), "")

    def _try(self, act: Callable[[], T], key: str) -> T:
        for attempt in Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            stop=stop_after_delay(self._patience),
            reraise=True,
        ):
            with attempt:
                self._make_bucket()
                return self._call(act, key)
        raise AssertionError("unreachable: the last attempt raises")

    def _make_bucket(self) -> None:
        if self._ready:
            return
        if not self._call(lambda: self._client.bucket_exists(self._bucket), ""):
            self._call(self._create, "")
        self._ready = True

    def _create(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def _call(self, act: Callable[[], T], key: str) -> T:
        try:
            return act()
        except S3Error as error:
            if error.code in MISSING:
                raise BlobNotFound(f"There is no object {key!r}.") from error
            if error.code in NO_KEY:
                raise UsageError(f"{key!r} is no object key.") from error
            self._ready = self._ready and error.code != "NoSuchBucket"  # made anew, then
            raise StoreUnavailable(f"The object store refuses {key!r}: {error.code}.") from error
        except (MinioException, ServerError, urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(f"The object store does not answer: {error}.") from error
        except ValueError as error:
            raise UsageError(f"{key!r} is no object key.") from error
