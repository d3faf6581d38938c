"""A trained scorer on disk: skops files, a manifest with checksums, and no pickled code.

Loading runs nothing from the files: skops restores only the types that stand in ``TRUSTED_TYPES`` of the modules that
own them, and a file whose SHA-256 differs from the manifest's is refused.
"""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io

from segml import __version__, churn, segments
from segml.config import Config, from_mapping
from segml.pipeline import Scorer
from segml.schema import ModelError

FORMAT = 1
MANIFEST = "manifest.json"
RISK, CLUSTERS, CALLS = "risk.skops", "clusters.skops", "calls.skops"
VERSIONED = ("scikit-learn", "numpy", "scipy", "pandas", "skops")


def save(scorer: Scorer, folder: Path) -> None:
    """Write the scorer into an existing, empty folder."""
    parts = {RISK: scorer.risk, CLUSTERS: scorer.clusters, CALLS: scorer.calls}
    for name, part in parts.items():
        if part is not None:
            skops.io.dump(part, folder / name)
    manifest = {
        "format": FORMAT,
        "trained_at": scorer.trained_at.isoformat(),
        "config": scorer.config.shown(),
        "versions": versions(scorer.config),
        "sha256": {name: _sha256(folder / name) for name, part in parts.items() if part is not None},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> Scorer:
    """Read a scorer back.

    Raises
    ------
    ModelError : no scorer there, a file was changed after it was written, or it is of a newer format
    ConfigError : its configuration is not valid here, such as for want of LightGBM
    """
    manifest = _manifest(folder)
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"the model in {folder} has format {manifest['format']}, this segml ({__version__}) reads format {FORMAT}; "
            "score with the version of segml that trained it, or train anew"
        )
    return Scorer(
        config=from_mapping(manifest["config"], source=f"the model in {folder}"),
        risk=_read_part(folder, RISK, manifest, churn.TRUSTED_TYPES),
        clusters=_read_part(folder, CLUSTERS, manifest, segments.TRUSTED_TYPES),
        trained_at=pd.Timestamp(manifest["trained_at"]).as_unit("us"),
        calls=_read_part(folder, CALLS, manifest, churn.TRUSTED_TYPES),
    )


def versions(config: Config) -> dict[str, str]:
    """Return the versions that a scorer of this configuration rests on."""
    return {
        "segml": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in (*VERSIONED, *config.churn.boosting.packages())},
    }


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no segml model: {MANIFEST} cannot be read ({error})") from None
    return dict(manifest)


def _read_part(folder: Path, name: str, manifest: dict[str, Any], trusted: tuple[str, ...]) -> Any:
    expected = manifest["sha256"].get(name)
    if expected is None:
        return None
    path = folder / name
    found = _sha256(path) if path.is_file() else "no file"
    if found != expected:
        raise ModelError(
            f"{path} is not the file that was saved (SHA-256 {found}, expected {expected}); it was changed or cut "
            "short: fetch the model again or train anew"
        )
    try:
        return skops.io.load(path, trusted=list(trusted))
    except Exception as error:
        trained = ", ".join(f"{package} {version}" for package, version in manifest["versions"].items())
        raise ModelError(
            f"{path} cannot be restored here ({type(error).__name__}: {error}); it was trained with {trained}: "
            "install these versions, or train anew"
        ) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
