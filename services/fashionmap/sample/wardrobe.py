"""What garments are made of: categories and their usual fabrics."""

import numpy as np

from fashionmap.domain.taxonomy import MODANET

Random = np.random.Generator
ID = {name: MODANET.id_of(name) for name in MODANET.categories}
"""Category ids, as masks hold them."""
LEATHERS = ("plain",)
SHIRTS = ("plain", "plain", "stripes", "checks", "dots", "flowers", "knit", "pinstripes")
DRESSES = ("plain", "flowers", "dots", "stripes", "leopard", "plain")
COATS = ("plain", "plain", "tweed", "checks", "tartan", "knit", "pinstripes", "leopard")
SKIRTS = ("plain", "flowers", "tartan", "dots", "leopard", "stripes", "plain")
