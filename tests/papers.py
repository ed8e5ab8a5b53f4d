"""Certificates for tests, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CURVE = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@dataclass
class Papers:
    """A CA, and a server's and a client's certificates that come from it."""

    folder: Path

    def __post_init__(self) -> None:
        made = ("-x509", "-newkey", *CURVE, "-nodes", "-days", "2", "-subj", "/CN=test CA")
        self._run("req", *made, "-keyout", "ca.key", "-out", "ca.crt")
        for name in ("server", "client"):
            self._issue(name)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def of(self, name: str) -> tuple[Path, Path]:
        """Certificate and key."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _issue(self, name: str) -> None:
        (self.folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        made = ("-newkey", *CURVE, "-nodes", "-subj", f"/CN={name}")
        self._run("req", *made, "-keyout", f"{name}.key", "-out", "request")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        self._run(
            "x509", "-req", "-in", "request", *signed, "-extfile", "names", "-out", f"{name}.crt"
        )

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=30
        )
