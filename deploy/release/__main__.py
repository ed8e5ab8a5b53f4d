"""``make release``: writes bills of materials, licences and notes into a folder."""

import subprocess
import sys
from pathlib import Path

from deploy.release.bill import write_bill
from deploy.release.text import ROOT, licences_of, notes_of

from fashionmap import __version__

NPM = ("npm", "sbom", "--package-lock-only", "--omit=dev", "--sbom-format=cyclonedx")


def write_page_bill(file: Path) -> None:
    """Has npm write the bill of the page's packages."""
    folder = ROOT / "services" / "web"
    done = subprocess.run(  # noqa: S603  a constant command
        NPM, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"npm writes no bill of materials: {done.stderr.strip()}")
    file.write_text(done.stdout, "utf-8")


def main(folder: Path) -> None:
    """Writes everything."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"fashionmap-{__version__}"
    bills = [folder / f"{name}-{part}.cdx.json" for part in ("images", "page")]
    write_bill(bills[0])
    write_page_bill(bills[1])
    (folder / f"{name}-licences.md").write_text(licences_of(__version__, bills), "utf-8")
    (folder / f"{name}-notes.md").write_text(notes_of(__version__), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
