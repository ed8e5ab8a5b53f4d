"""The single steps as functions over files: segment, embed, project, neighbours."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionmap.adapters.photo_decoder import PhotoDecoder, photo_size
from fashionmap.domain.garment import Detection
from fashionmap.entrypoints.photos_on_disk import PhotoFile
from fashionmap.errors import PermanentError, PhotoRejected, UsageError
from fashionmap.pipelining import around, in_order, pipelined
from fashionmap.ports import Embedder, Segmenter
from fashionmap.projection.annotations import AnnotationsWriter

Refused = list[tuple[str, str]]
Photo = tuple[NDArray[np.uint8], tuple[int, int]]
"""Pixels uint8 (h, w, 3), perhaps reduced, and the full ``(height, width)``."""
GROUP = 8
"""Pictures that are embedded together."""


def segment_files(
    files: list[PhotoFile], out: Path, *, segmenter: Segmenter, advance: Callable[[int], None]
) -> Refused:
    """Writes a COCO data set of all detections; returns refused files with reasons."""
    refused: Refused = []
    decoder, turns = PhotoDecoder(), threading.BoundedSemaphore(segmenter.at_once)

    def one(file: PhotoFile) -> tuple[tuple[int, int], list[Detection]] | PermanentError:
        try:
            pixels, size = _read(file, decoder)
            with turns:
                return size, segmenter.segment([pixels], sizes=[size])[0]
        except PermanentError as error:
            return error

    threads = around(segmenter.at_once)
    results = in_order(files, one, threads=threads, most=4 * threads)
    out.parent.mkdir(parents=True, exist_ok=True)
    with AnnotationsWriter(out) as writer:
        writer.use_categories(list(segmenter.categories))
        for file, result in zip(files, results, strict=True):
            advance(1)
            if isinstance(result, PermanentError):
                refused.append((file.name, str(result)))
                continue
            (height, width), found = result
            image_id = writer.add_image(file.name, width=width, height=height)
            for number, detection in enumerate(found):
                writer.add(image_id, _row(f"{image_id}-{number}", detection))
    return refused


def embed_files(
    files: list[PhotoFile], out: Path, *, embedder: Embedder, advance: Callable[[int], None]
) -> Refused:
    """Writes ``names`` and ``vectors`` float32 (n, d), a row a readable picture."""
    from fashionmap.embedding.cutout import whole_picture

    decoder = PhotoDecoder()
    reasons: dict[Path, str] = {}
    vectors: dict[Path, NDArray[np.float32]] = {}

    def read(group: Sequence[PhotoFile]) -> dict[Path, NDArray[np.uint8]]:
        pictures = {}
        for file in group:
            try:
                pictures[file.path] = whole_picture(_read(file, decoder)[0])
            except PermanentError as error:
                reasons[file.path] = str(error)
        return pictures

    def work(pictures: dict[Path, NDArray[np.uint8]]) -> dict[Path, NDArray[np.float32]]:
        return dict(zip(pictures, embedder.embed(list(pictures.values())), strict=True))

    def write(group: Sequence[PhotoFile], made: dict[Path, NDArray[np.float32]]) -> None:
        vectors.update(made)
        advance(len(group))

    groups = [files[first : first + GROUP] for first in range(0, len(files), GROUP)]
    pipelined(groups, at_once=embedder.at_once, read=read, work=work, write=write)
    done = [file for file in files if file.path in vectors]
    if not done:
        raise UsageError("None of these files is a picture that can be read.")
    names = np.array([file.name for file in done])
    _save(out, names=names, vectors=np.stack([vectors[file.path] for file in done]))
    return [(file.name, reasons[file.path]) for file in files if file.path in reasons]


def project_file(source: Path, out: Path, *, perplexity: float, seed: int) -> int:
    """Projects ``names`` and ``vectors`` of an npz file; returns the number of points."""
    from fashionmap.projection.projector import Projector, ProjectorParameters

    names, vectors = _vectors(source)
    coordinates = Projector(ProjectorParameters(perplexity=perplexity, seed=seed)).fit(vectors)
    _save(out, names=names, coordinates=coordinates)
    return len(names)


def nearest_in_map(folder: Path, garment_id: str, *, count: int) -> list[tuple[str, ...]]:
    """Id, distance, category and file name of the nearest units of the same kind."""
    import pyarrow.parquet as pq

    from fashionmap.projection.neighbours import search

    if not (folder / "garments.parquet").exists():
        raise UsageError(f"{folder} holds no map.")
    rows = pq.read_table(
        folder / "garments.parquet", columns=["id", "unit", "category", "file_name"]
    ).to_pylist()
    ids = [row["id"] for row in rows]
    if garment_id not in ids:
        raise UsageError(f"There is no garment {garment_id!r} on this map.")
    own = ids.index(garment_id)
    column = pq.read_table(folder / "vectors.parquet")["vector"].combine_chunks()
    vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(len(ids), -1)
    alike = [i for i, row in enumerate(rows) if row["unit"] == rows[own]["unit"] and i != own]
    indices, distances = search(vectors[[own]], vectors[alike], count)
    found = [(alike[i], d) for i, d in zip(indices[0], distances[0], strict=True)]
    return [(ids[i], f"{d:.4f}", rows[i]["category"], rows[i]["file_name"]) for i, d in found]


def _read(file: PhotoFile, decoder: PhotoDecoder) -> Photo:
    """A file's pixels and its full size."""
    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise PhotoRejected(f"The file cannot be read: {error.strerror}.") from error
    return decoder.pixels(data), photo_size(data)


def _row(number: str, found: Detection) -> dict[str, object]:
    return {
        "id": number,
        "category": found.category,
        "score": found.score,
        "bbox": list(found.bbox),
        "area": found.area,
        "counts": found.mask.counts,
        "photo_height": found.mask.height,
        "photo_width": found.mask.width,
    }


def _vectors(source: Path) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
    """``names`` and ``vectors`` of an npz file; ``UsageError`` says what is wrong with it."""
    try:
        with np.load(source, allow_pickle=False) as file:
            names, vectors = file["names"], file["vectors"]
    except FileNotFoundError as error:
        raise UsageError(f"{source} does not exist.") from error
    except KeyError as error:
        raise UsageError(f"{source} has no array {error}.") from error
    except (ValueError, OSError) as error:
        raise UsageError(f"{source} is no npz file of plain arrays.") from error
    if len(names) != len(vectors):
        raise UsageError(f"{source} has {len(names)} names for {len(vectors)} vectors.")
    return names, vectors


def _save(out: Path, **arrays: NDArray[np.generic]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
