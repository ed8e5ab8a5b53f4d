"""Where things lie in the object store. Equal inputs give equal keys, so redelivery is harmless."""

from fashionmap.domain.photo import ModelStamp
from fashionmap.errors import UsageError

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST = 100
_ROOT = "collections/"


def check_collection(name: str) -> str:
    """Returns the name where it may be a collection's, raises ``UsageError`` where it may not."""
    if not name or len(name) > _LONGEST or not set(name) <= _SAFE or name.startswith("."):
        raise UsageError(
            f"A collection is named by 1 to {_LONGEST} letters, digits, '.', '_' and '-' "
            f"and does not begin with '.'; {name!r} is not."
        )
    return name


def check_part(text: str) -> str:
    """Returns what may stand in a key between slashes, raises ``UsageError`` where it may not."""
    if not text or len(text) > 2 * _LONGEST or text[0] == "." or not set(text) <= {*_SAFE, "@"}:
        raise UsageError(f"{text[:80]!r} can be no part of an object key.")
    return text


def is_address(key: str) -> bool:
    """Whether the key of an offer is an address on the web instead."""
    return key.startswith(("https://", "http://"))


def check_offered(name: str, key: str) -> str:
    """Returns the key of an offer; ``UsageError`` where it is none, or in another collection."""
    if len(key) > 1024:
        raise UsageError("An object key has at most 1,024 characters.")
    if is_address(key):
        return key  # whoever fetches it decides
    if {"", ".", ".."} & set(key.split("/")):  # some stores read "/a" and "a/../b" as "a" and "b"
        raise UsageError(f"The offered key {key!r} is none: an empty part, '.' or '..' is in it.")
    if key.startswith(_ROOT) and not key.startswith(collection(name)):
        raise UsageError(f"The offered key {key!r} lies in another collection than {name!r}.")
    return key


def collection(name: str) -> str:
    """Prefix of everything that belongs to a collection."""
    return f"{_ROOT}{check_collection(name)}/"


def photo(name: str, photo_id: str) -> str:
    """Prefix of everything that belongs to a photo."""
    return f"{collection(name)}photos/{check_part(photo_id)}/"


def original(name: str, photo_id: str) -> str:
    """The offered bytes, unchanged."""
    return photo(name, photo_id) + "original"


def photo_record(name: str, photo_id: str) -> str:
    """The photo's JSON record (file name, size, metadata): the commit object of ingest."""
    return photo(name, photo_id) + "photo.json"


def masks(name: str, photo_id: str, segmenter: ModelStamp) -> str:
    """The masks document: the commit object of segmentation."""
    return f"{photo(name, photo_id)}masks/{check_part(segmenter.key)}.json"


def embeddings(name: str, photo_id: str, segmenter: ModelStamp, embedder: ModelStamp) -> str:
    """The photo's units with vectors and thumbnails (Arrow): the commit object of embedding."""
    models = f"{check_part(segmenter.key)}/{check_part(embedder.key)}"
    return f"{photo(name, photo_id)}embeddings/{models}.arrow"


def failure(name: str, stage: str, photo_id: str) -> str:
    """The JSON record of a photo that a stage refused."""
    return f"{collection(name)}failures/{stage}/{check_part(photo_id)}.json"


def map_version(name: str, version: str) -> str:
    """Prefix of one map; its ``map.json`` is written last."""
    return f"{collection(name)}maps/{check_part(version)}/"


def failures(name: str) -> str:
    """Prefix of all failure records."""
    return f"{collection(name)}failures/"


def maps(name: str) -> str:
    """Prefix of all maps."""
    return f"{collection(name)}maps/"


def newest_map(name: str) -> str:
    """The JSON record that names the newest map."""
    return f"{maps(name)}newest.json"


def placed(name: str, version: str, photo_id: str) -> str:
    """The JSON record of a photo's units that were placed on a map after it was built."""
    return f"{map_version(name, version)}placed/{check_part(photo_id)}.json"


def paused(stage: str) -> str:
    """Lies there while a stage is paused."""
    return f"control/paused/{check_part(stage)}"


def growth(name: str) -> str:
    """The JSON record of when photos came to a collection and which map was asked for."""
    return f"control/growth/{check_collection(name)}.json"


def models() -> str:
    """Prefix of all models."""
    return "models/"


def model(name: str, version: str) -> str:
    """Prefix of one version of a model; its ``model.json`` is written last: the commit object."""
    for part in (name, version):
        if not part or len(part) > _LONGEST or not set(part) <= _SAFE or part.startswith("."):
            raise UsageError(
                f"Models and versions are named by 1 to {_LONGEST} letters, digits, '.', '_' and "
                f"'-'; {part!r} is not."
            )
    return f"{models()}{name}/{version}/"
