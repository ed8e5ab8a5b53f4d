"""The category lists that segmenters speak, in the order of their ids (COCO ids, from 1)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Taxonomy:
    """A named, ordered list of categories.

    Attributes:
        name: How settings and model cards call it.
        categories: Category names; the id of ``categories[i]`` is ``i + 1``.
    """

    name: str
    categories: tuple[str, ...]

    def id_of(self, category: str) -> int:
        """The COCO category id (from 1) of a name; ``ValueError`` where there is none."""
        return self.categories.index(category) + 1


PERSON = "person"
LOOK = "look"

MODANET = Taxonomy(
    name="modanet",
    categories=(
        "bag",
        "belt",
        "boots",
        "footwear",
        "outer",
        "dress",
        "sunglasses",
        "pants",
        "top",
        "shorts",
        "skirt",
        "headwear",
        "scarf&tie",
    ),
)
"""ModaNet's thirteen, https://github.com/eBay/modanet, with its ids 1 to 13."""

MODANET_PERSON = Taxonomy(name="modanet+person", categories=(*MODANET.categories, PERSON))
"""ModaNet's thirteen and, as id 14, the whole clothed person."""

DEEPFASHION2 = Taxonomy(
    name="deepfashion2",
    categories=(
        "short sleeve top",
        "long sleeve top",
        "short sleeve outwear",
        "long sleeve outwear",
        "vest",
        "sling",
        "shorts",
        "trousers",
        "skirt",
        "short sleeve dress",
        "long sleeve dress",
        "vest dress",
        "sling dress",
    ),
)
"""DeepFashion2's thirteen, https://github.com/switchablenorms/DeepFashion2, with its ids."""

FASHIONPEDIA = Taxonomy(
    name="fashionpedia",
    categories=(
        *("shirt, blouse", "top, t-shirt, sweatshirt", "sweater", "cardigan", "jacket", "vest"),
        *("pants", "shorts", "skirt", "coat", "dress", "jumpsuit", "cape", "glasses", "hat"),
        *("headband, head covering, hair accessory", "tie", "glove", "watch", "belt"),
        *("leg warmer", "tights, stockings", "sock", "shoe", "bag, wallet", "scarf", "umbrella"),
        *("hood", "collar", "lapel", "epaulette", "sleeve", "pocket", "neckline", "buckle"),
        *("zipper", "applique", "bead", "bow", "flower", "fringe", "ribbon", "rivet", "ruffle"),
        *("sequin", "tassel"),
    ),
)
"""Fashionpedia's 27 kinds of apparel and 19 parts, https://fashionpedia.github.io; its own ids
are one less."""

COCO_PERSON = Taxonomy(name="coco-person", categories=(PERSON,))
"""The one COCO category that whole looks need."""

TAXONOMIES = {t.name: t for t in (MODANET, MODANET_PERSON, DEEPFASHION2, FASHIONPEDIA, COCO_PERSON)}
