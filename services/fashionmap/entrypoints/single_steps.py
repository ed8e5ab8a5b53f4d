"""The single steps as functions over files: segment, embed, project, neighbours."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionmap.adapters.photo_decoder import PhotoDecoder, photo_size
from fashionmap.domain.garment import Detection
from fashionmap.entrypoints.photos_on_disk import PhotoFile
from fashionmap.errors import PermanentError, PhotoRejected, UsageError
from fashionmap.ports import Embedder, Segmenter
from fashionmap.projection.annotations import AnnotationsWriter

Refused = list[tuple[str, str]]
AHEAD = 8
EMBED_BATCH = 32


def segment_files(
    files: list[PhotoFile], out: Path, *, segmenter: Segmenter, advance: Callable[[int], None]
) -> Refused:
    """Writes a COCO data set of all detections; returns refused files with reasons."""
    refused: Refused = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with AnnotationsWriter(out) as writer:
        writer.use_categories(list(segmenter.categories))
        for file, pixels, size in _decoded(files, refused):
            image_id = writer.add_image(file.name, width=size[1], height=size[0])
            for number, found in enumerate(segmenter.segment([pixels], sizes=[size])[0]):
                writer.add(image_id, _row(f"{image_id}-{number}", found))
            advance(1)
        advance(len(refused))
    return refused


def embed_files(
    files: list[PhotoFile], out: Path, *, embedder: Embedder, advance: Callable[[int], None]
) -> Refused:
    """Writes ``names`` and ``vectors`` float32 (n, d), a row a readable picture."""
    from fashionmap.embedding.cutout import whole_picture

    refused: Refused = []
    names: list[str] = []
    parts: list[NDArray[np.float32]] = []
    batch: list[NDArray[np.uint8]] = []
    for file, pixels, _ in _decoded(files, refused):
        names.append(file.name)
        batch.append(whole_picture(pixels))
        if len(batch) == EMBED_BATCH:
            parts.append(embedder.embed(batch))
            batch = []
        advance(1)
    parts.append(embedder.embed(batch))
    if not names:
        raise UsageError("None of these files is a picture that can be read.")
    _save(out, names=np.array(names), vectors=np.concatenate(parts))
    return refused


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


def _decoded(
    files: list[PhotoFile], refused: Refused
) -> Iterator[tuple[PhotoFile, NDArray[np.uint8], tuple[int, int]]]:
    """Readable photos in order, decoded in threads a few ahead, with their full sizes."""
    decoder = PhotoDecoder()

    def read(file: PhotoFile) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        try:
            data = file.path.read_bytes()
        except OSError as error:
            raise PhotoRejected(f"The file cannot be read: {error.strerror}.") from error
        return decoder.pixels(data), photo_size(data)

    with ThreadPoolExecutor(2) as pool:
        for first in range(0, len(files), AHEAD):
            chunk = files[first : first + AHEAD]
            for file, future in [(f, pool.submit(read, f)) for f in chunk]:
                try:
                    yield (file, *future.result())
                except PermanentError as error:
                    refused.append((file.name, str(error)))


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
