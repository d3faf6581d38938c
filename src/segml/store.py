"""A trained scorer on disk: skops files, a manifest with checksums, and no pickled code.

Loading runs nothing from the files: skops restores only the types that stand in ``TRUSTED_TYPES`` of the modules that
own them, and a file whose SHA-256 differs from the manifest's is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import warnings
import zipfile
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pandas as pd
import skops.io
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sklearn._loss._loss import CyHalfBinomialLoss
from sklearn.exceptions import InconsistentVersionWarning
from skops.io.exceptions import UntrustedTypesFoundException

from segml import __version__, churn, segments
from segml.config import Config, from_mapping
from segml.pipeline import Scorer
from segml.schema import ConfigError, ModelError

FORMAT = 2
MANIFEST = "manifest.json"
RISK: Final = "risk.skops"
CLUSTERS: Final = "clusters.skops"
CALLS: Final = "calls.skops"
VERSIONED = ("scikit-learn", "numpy", "scipy", "pandas", "skops")
LIMIT_BYTES = 2**30
"""What one file may hold, packed or unpacked: models of millions of customers take some megabytes."""

_SCHEMA = "schema.json"
"""The member of a skops file that says what its objects are."""
_LEARNT_BY = ("scikit-learn", "skops", "lightgbm")
"""Packages whose own objects or file format are stored: an older one cannot be relied on to read a newer one's."""

_NAMED_HERE = {"_loss": CyHalfBinomialLoss.__module__}
"""Modules that scikit-learn called otherwise before 1.9, and what the installed one calls them."""

Name = Literal["risk.skops", "clusters.skops", "calls.skops"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ModelWarning(UserWarning):
    """A model is at work beside other versions than it was trained with."""


class _RestoreError(Exception):
    """A file is whole, and yet cannot be read; why is a matter of versions."""


class Manifest(BaseModel):
    """What stands beside the files of a scorer: what it is, and what each file must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    trained_at: datetime
    config: dict[str, Any]
    versions: dict[str, str]
    sha256: dict[Name, Sha256]


def save(scorer: Scorer, folder: Path) -> str:
    """Write the scorer into an existing, empty folder; return the SHA-256 of its manifest."""
    parts = {RISK: scorer.risk, CLUSTERS: scorer.clusters, CALLS: scorer.calls}
    for name, part in parts.items():
        if part is not None:
            skops.io.dump(part, folder / name)
    manifest = {
        "format": FORMAT,
        "trained_at": scorer.trained_at.isoformat(),
        "config": scorer.config.shown(),
        "versions": versions(scorer.config),
        "sha256": {name: _sha256(_content(folder / name)) for name, part in parts.items() if part is not None},
    }
    content = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    (folder / MANIFEST).write_bytes(content)
    return _sha256(content)


def load(folder: Path, *, manifest_sha256: str | None = None) -> Scorer:
    """Read a scorer back; a ``ModelWarning`` tells of other versions than it was trained with.

    Parameters
    ----------
    manifest_sha256 : what ``save`` returned; None leaves a manifest unchecked that was changed with care

    Raises
    ------
    ModelError : no scorer there, a file was changed after it was written, or segml or a package is too old for it
    ConfigError : its configuration is not valid here, such as for want of LightGBM
    """
    manifest = _manifest(folder, manifest_sha256)
    config = _config(folder, manifest)
    here = versions(config)
    _compare_versions(folder, manifest.versions, here)
    try:
        return Scorer(
            config=config,
            risk=_read_part(folder, RISK, manifest, churn.TRUSTED_TYPES),
            clusters=_read_part(folder, CLUSTERS, manifest, segments.TRUSTED_TYPES),
            trained_at=pd.Timestamp(manifest.trained_at).as_unit("us"),
            calls=_read_part(folder, CALLS, manifest, churn.TRUSTED_TYPES),
        )
    except _RestoreError as error:
        raise ModelError(
            f"{error}; it was trained with {_named(manifest.versions, list(here))}; here is "
            f"{_named(here, list(here))}: install the versions it was trained with, or train anew"
        ) from error


def versions(config: Config) -> dict[str, str]:
    """Return the versions that a scorer of this configuration rests on."""
    return {
        "segml": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in (*VERSIONED, *config.churn.boosting.packages())},
    }


def _manifest(folder: Path, expected: str | None) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(f"{folder} holds no segml model: there is no {MANIFEST}")
    content = _content(path)
    if expected is not None:
        _check_sum(path, content, expected)
    try:
        values = json.loads(content)
        _check_format(folder, values)
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ModelError(f"{path} is no manifest of a segml model: {place}: {problem['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no manifest of a segml model: it cannot be read ({error})") from None


def _check_format(folder: Path, values: Any) -> None:
    found = values.get("format") if isinstance(values, dict) else None
    if not isinstance(found, int):
        raise ModelError(f"{folder / MANIFEST} is no manifest of a segml model: it names no format")
    if found == FORMAT:
        return
    trained = values.get("versions")
    by = trained.get("segml") if isinstance(trained, dict) else None
    mend = "install segml {by} or newer" if found > FORMAT else "install segml {by}, or train anew"
    raise ModelError(
        f"the model in {folder} has format {found}, this segml ({__version__}) reads format {FORMAT}; "
        + mend.format(by=by or "of that time")
    )


def _config(folder: Path, manifest: Manifest) -> Config:
    try:
        return from_mapping(manifest.config, source=f"the model in {folder}")
    except ConfigError as error:
        trained = manifest.versions.get("segml", "another version")
        if trained == __version__:
            raise
        raise ModelError(
            f"the model in {folder} was trained by segml {trained}, and {__version__} does not know its configuration; "
            f"install segml {trained}, or train anew\n{error}"
        ) from None


def _compare_versions(folder: Path, trained: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raise for packages older than the model's; warn of newer ones, and of another segml."""
    ahead = [name for name in _LEARNT_BY if name in here and _minor(trained.get(name, "")) > _minor(here[name])]
    if ahead:
        needed = " ".join(f"'{name}=={trained[name]}'" for name in ahead)
        raise ModelError(
            f"the model in {folder} was trained with {_named(trained, ahead)}; here is {_named(here, ahead)}, which "
            f"cannot read what a newer one wrote: pip install {needed}, or train anew"
        )
    other = [
        name for name in ("segml", *_LEARNT_BY) if name in here and _minor(trained.get(name, "")) != _minor(here[name])
    ]
    if other:
        warnings.warn(
            f"the model in {folder} was trained with {_named(trained, other)} and scores with {_named(here, other)}; "
            "scores may differ a little",
            ModelWarning,
            stacklevel=3,
        )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _named(found: Mapping[str, str], names: list[str]) -> str:
    return ", ".join(f"{name} {found.get(name, 'unknown')}" for name in names)


def _read_part(folder: Path, name: Name, manifest: Manifest, trusted: tuple[str, ...]) -> Any:
    expected = manifest.sha256.get(name)
    if expected is None:
        return None
    path = folder / name
    content = _content(path)
    _check_sum(path, content, expected)
    _check_unpacked(path, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)  # a ModelWarning has told it in one sentence
            return skops.io.loads(_as_named_here(content), trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path} holds what no segml model holds, and is not read: {error}") from None
    except Exception as error:
        raise _RestoreError(f"{path} cannot be restored here ({type(error).__name__}: {error})") from error


def _as_named_here(content: bytes) -> bytes:
    """Return a skops file whose modules bear the names of here."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if not any(f'"{name}"'.encode() in members[_SCHEMA] for name in _NAMED_HERE):
        return content
    members[_SCHEMA] = json.dumps(json.loads(members[_SCHEMA], object_hook=_node_as_named_here)).encode()
    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return renamed.getvalue()


def _node_as_named_here(node: dict[str, Any]) -> dict[str, Any]:
    module = node.get("__module__")
    return node | {"__module__": _NAMED_HERE[module]} if module in _NAMED_HERE else node


def _content(path: Path) -> bytes:
    """Return what a plain file of bearable size holds."""
    if path.is_symlink():
        raise ModelError(f"{path} is a link; a model's files are plain files: fetch the model again")
    try:
        size = path.stat().st_size
        if size > LIMIT_BYTES:
            raise ModelError(f"{path} has {size:,} bytes; a segml model's files have at most {LIMIT_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); fetch the model again or train anew") from None


def _check_sum(path: Path, content: bytes, expected: str) -> None:
    found = _sha256(content)
    if found != expected:
        raise ModelError(
            f"{path} is not the file that was saved (SHA-256 {found}, expected {expected}); it was changed or cut "
            "short: fetch the model again or train anew"
        )


def _check_unpacked(path: Path, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path} is no skops file ({error}); train anew") from None
    if unpacked > LIMIT_BYTES:
        raise ModelError(
            f"{path} would unpack to {unpacked:,} bytes; a segml model's files hold at most {LIMIT_BYTES:,}"
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
