"""What a segmenter finds on a photo, and the units that come of it."""

from dataclasses import dataclass

from fashionmap.domain.photo import ModelStamp, Photo


@dataclass(frozen=True)
class Mask:
    """A binary mask in COCO's compressed run-length encoding.

    Attributes:
        height: Rows of the photo.
        width: Columns of the photo.
        counts: COCO's compressed counts (ASCII), as ``pycocotools.mask`` reads and writes them.
    """

    height: int
    width: int
    counts: str


@dataclass(frozen=True)
class Detection:
    """One instance that a segmenter found.

    Attributes:
        category: Name in the segmenter's taxonomy.
        score: Confidence in [0, 1].
        bbox: COCO box ``(x, y, width, height)`` in pixels, tight around the mask.
        area: Pixels of the mask.
        mask: The mask, of the photo's size.
    """

    category: str
    score: float
    bbox: tuple[float, float, float, float]
    area: int
    mask: Mask


@dataclass(frozen=True)
class Garment:
    """A unit of the map: one garment, or the whole look of one photo.

    Attributes:
        id: ``{photo id, first 16 digits}-{number}`` for a garment, ``…-look`` for a look.
        unit: ``"garment"`` or ``"look"``.
        detection: Category, score, box, area and mask; a look's category is ``"look"``.
    """

    id: str
    unit: str
    detection: Detection


@dataclass(frozen=True)
class MasksDocument:
    """Everything that segmentation says about one photo; the commit object of its stage.

    Attributes:
        photo: The photo.
        segmenter: The model that made the masks.
        garments: Garments by falling score, then at most one look; empty where nothing is worn.
    """

    photo: Photo
    segmenter: ModelStamp
    garments: tuple[Garment, ...]
