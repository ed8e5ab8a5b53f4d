"""A backup goes back in handfuls, and the maps' names last."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.entrypoints import backup as archive


class Watched(FilesystemBlobStore):
    """A store that remembers what came together."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.calls: list[list[str]] = []

    def put(self, key: str, data: bytes) -> None:
        self.calls.append([key])
        super().put(key, data)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        self.calls.append(list(objects))
        for key, data in objects.items():
            super().put(key, data)


@pytest.mark.parametrize("most", [1 << 20, 400])
def test_given_many_objects_when_restored_then_all_are_there_and_maps_are_named_last(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_TOGETHER", most)
    store, other = FilesystemBlobStore(tmp_path / "a"), Watched(tmp_path / "b")
    objects = {f"collections/c/photos/{n:04x}/masks/m": bytes([n]) * 50 for n in range(150)}
    named = ["collections/c/maps/1/map.json", "collections/c/maps/newest.json"]
    for key, data in {**objects, **dict.fromkeys(named, b"{}")}.items():
        store.put(key, data)
    archive.backup(store, "c", tmp_path / "c.tar", advance=lambda _: None)
    steps: list[int] = []
    archive.restore(other, tmp_path / "c.tar", advance=steps.append)
    assert {key: other.get(key) for key in other.keys("")} == {
        key: store.get(key) for key in store.keys("")
    }
    assert sum(steps) == 152
    assert [key for keys in other.calls[-2:] for key in keys] == named
    together = [len(keys) for keys in other.calls[:-2]]
    assert max(together) == (64 if most > 400 else 9)
    assert sum(together) == 150
