"""A training from data sets on the disk to weights."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fashionmap.domain.taxonomy import TAXONOMIES, Taxonomy
from fashionmap.errors import DatasetRejected, UsageError
from fashionmap.training.datasets.coco_form import read_coco, read_json
from fashionmap.training.segmenter.plan import TrainingPlan
from fashionmap.training.segmenter.ranks import join_ranks, leave_ranks
from fashionmap.training.segmenter.run_folder import RunFolder
from fashionmap.training.segmenter.samples import load_training
from fashionmap.training.segmenter.start import initial_weights
from fashionmap.training.segmenter.trainer import Trainer, settings_of


def train(
    plan: TrainingPlan,
    *,
    data: list[Path],
    taxonomy: str,
    out: Path,
    init: str = "",
    say: Callable[[str], None] = print,
) -> Path:
    """Trains on the ``train.json`` of every folder and scores by the first one's ``val.json``.

    Args:
        plan: What to do.
        data: Data sets in our form.
        taxonomy: Name of a taxonomy, or ``data``: the first data set's own categories.
        out: Folder of the run; an unfinished run goes on.
        init: What ``initial_weights`` understands; ``""`` starts from nothing.
        say: Is told how it goes.
    """
    categories = taxonomy_of(taxonomy, data[0])
    photos = [photo for folder in data for photo in load_training(folder, categories)]
    if not photos:
        raise DatasetRejected(f"{data[0]} holds no photos to learn from.")
    if not (data[0] / "val.json").exists():
        raise DatasetRejected(f"{data[0]} has no val.json: `fashionmap dataset split` makes one.")
    ranks, device = join_ranks(plan.device)
    plan = replace(plan, device=device)
    config = settings_of(plan, data=data, init=init, taxonomy=taxonomy)
    folder = RunFolder(out, config, writes=ranks.first)
    ranks.wait()
    resumed = (out / "checkpoint.pt").exists()
    try:
        return Trainer(
            plan,
            train=photos,
            val=(read_coco(data[0] / "val.json"), data[0] / "images"),
            taxonomy=categories,
            folder=folder,
            init=initial_weights(init, plan.model) if init and not resumed else None,
            ranks=ranks,
            about=about_data(data),
            say=say,
        ).run()
    finally:
        leave_ranks()


def taxonomy_of(name: str, folder: Path) -> Taxonomy:
    """A taxonomy by name; ``data`` takes the categories of a data set."""
    if name != "data":
        if name not in TAXONOMIES:
            raise UsageError(
                f"There is no taxonomy {name!r}: name {', '.join(TAXONOMIES)} or data."
            )
        return TAXONOMIES[name]
    document = read_coco(folder / "annotations.json")
    names = tuple(str(c["name"]) for c in sorted(document["categories"], key=lambda c: c["id"]))
    same = (t for t in TAXONOMIES.values() if t.categories == names)
    return next(same, Taxonomy(folder.name, names))


def about_data(data: list[Path]) -> dict[str, str]:
    """Sources and licences of data sets, for the metadata of weights."""
    abouts = [read_json(f / "dataset.json") for f in data if (f / "dataset.json").exists()]
    sources = [f"{a.get('source')} ({a.get('licence')}), {a.get('images')} photos" for a in abouts]
    return {"data": json.dumps(sources, ensure_ascii=False)}
