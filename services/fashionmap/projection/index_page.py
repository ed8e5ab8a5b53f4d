"""The plain page of a map folder: counts and the poster."""

from collections.abc import Mapping
from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fashionMap: {title}</title>
<link rel="icon" href="data:,">
<h1>{title}</h1>
<p>{counts}</p>
<p><a href="poster.png">Poster</a> · <a href="grid.png">Grid</a> ·
<a href="garments.parquet">Table</a> · <a href="annotations.json">Masks (COCO)</a> ·
<a href="map.json">About this map</a></p>
<p><a href="poster.png"><img src="poster.png" width="100%" alt="All cut-outs laid out so that
similar ones lie together"></a></p>
{rejected}
</html>
"""


def index_page(summary: Mapping[str, Any]) -> str:
    """HTML that needs no server and loads nothing from elsewhere."""
    counts = summary["counts"]
    looks = summary["unit"] == "look"
    title = f"{counts['looks']:,} looks" if looks else f"{counts['garments']:,} garments"
    told = [
        f"{counts['photos']:,} photos",
        f"{counts['no_garments']:,} without garments",
        f"{counts['duplicates']:,} duplicates",
        f"{counts['rejected']:,} refused",
    ]
    rows = "".join(
        f"<li>{escape(r['file_name'])}: {escape(r['reason'])}</li>" for r in summary["rejected"]
    )
    rejected = f"<h2>Refused</h2><ul>{rows}</ul>" if rows else ""
    return _PAGE.format(title=escape(title), counts=", ".join(told), rejected=rejected)
