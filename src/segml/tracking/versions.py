"""Versions of the registered model: their tags, who is champion and challenger, and who was champion before.

The alias ``champion`` is the one truth, and MLflow moves it in one write. The list of champions, a tag of the
registered model, follows it: a command that is killed between the two writes, or a hand in the UI, leaves a list that
``mend`` brings in line with the alias.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from segml.config import TrackingConfig, without_secrets
from segml.schema import RegistryError
from segml.tracking.address import check_reachable, sqlite_path
from segml.tracking.retry import Retry

CHAMPION, CHALLENGER = "champion", "challenger"
CHAMPIONS_TAG = "segml.champions"
"""Of the registered model: versions in the order in which they became champion, the present one last."""
PREVIOUS_TAG, PROMOTED_TAG, REASON_TAG = "segml.previous_champion", "segml.promoted_at", "segml.promotion_reason"
TRAINING_RUN_TAG = "segml.training_run"
"""Of a refresh's run: the run that trained the model it decides by, and that it may have recalibrated."""
ROLLED_BACK_TAG, RECIPE_TAG, VERDICT_TAG = "segml.rolled_back", "segml.recipe_digest", "segml.verdict"

MOST_TOLD = 12
"""Versions that a message names."""

Answer = TypeVar("Answer")


class ChampionChangedError(Exception):
    """Another command has made another version champion since this one looked."""


@dataclass(frozen=True)
class Version:
    """One version of the registered model, as the registry tells of it."""

    number: str
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    created_at: datetime


class Registry:
    """The registered model of a tracking store."""

    def __init__(self, config: TrackingConfig, say: Callable[[str], None]) -> None:
        self.name = config.model_name
        self.uri = check_reachable(config)
        self._retry = Retry(self.uri, retry_s=config.retry_s, timeout_s=config.timeout_s, say=say)
        self._client: Any = None

    def versions(self) -> tuple[Version, ...]:
        """Return all versions, the newest first.

        Raises
        ------
        RegistryError : there are none
        """
        self._check_there()
        found = self._call(lambda client: _all_versions(client, self.name))
        if not found:
            raise RegistryError(
                f"the registry of {without_secrets(self.uri)} holds no version of the model {self.name!r}; "
                "train first, or set tracking.model_name or tracking.uri"
            )
        aliases = self._aliases()
        return tuple(_version(version, aliases) for version in found)

    def version(self, wanted: str) -> Version:
        """Return the version of a number or an alias.

        Raises
        ------
        RegistryError : there is none; says which there are
        """
        versions = self.versions()
        for version in versions:
            if wanted == version.number or wanted in version.aliases:
                return version
        raise RegistryError(f"the model {self.name!r} has no version {wanted!r}; there are {told(versions)}")

    def champion(self) -> Version | None:
        """Return the champion, or None."""
        return next((version for version in self.versions() if CHAMPION in version.aliases), None)

    def champions(self) -> tuple[str, ...]:
        """Return the versions in the order in which they became champion, the present one last."""
        return tuple(self._model().tags.get(CHAMPIONS_TAG, "").split())

    def rolled_back_from(self, recipe: str) -> str:
        """Return the version of a recipe that was last promoted, if it was rolled back since; else an empty string."""
        promoted = [
            version
            for version in self.versions()
            if version.tags.get(RECIPE_TAG) == recipe and PROMOTED_TAG in version.tags
        ]
        latest = max(promoted, key=lambda version: version.tags[PROMOTED_TAG], default=None)
        return latest.number if latest is not None and ROLLED_BACK_TAG in latest.tags else ""

    def describe(self, number: str, tags: Mapping[str, str], description: str | None = None) -> None:
        """Set tags of a version, and its description in Markdown."""

        def describe(client: Any) -> None:
            for key, value in tags.items():
                client.set_model_version_tag(self.name, number, key, value)
            if description is not None:
                client.update_model_version(self.name, number, description)

        self._call(describe)

    def tag_run(self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        """Set tags and metrics of the run that a version comes from."""
        from mlflow.entities import Metric, RunTag

        def log(client: Any) -> None:
            info = client.get_run(run_id).info
            at = info.end_time or info.start_time
            client.log_batch(
                run_id,
                metrics=[Metric(key, value, at, 0) for key, value in metrics.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )

        self._call(log)

    def challenge(self, number: str) -> None:
        """Give a version the alias ``challenger``."""
        self._call(lambda client: client.set_registered_model_alias(self.name, CHALLENGER, number))

    def promote(self, number: str, *, reason: str, at: datetime, in_place_of: str | None = None) -> str:
        """Make a version champion; return the version that was champion before, or an empty string.

        Parameters
        ----------
        reason : why, in words; a tag of the version
        at : now
        in_place_of : the champion that the decision rests on, empty for none; default: whoever it is

        Raises
        ------
        ChampionChangedError : somebody else is champion by now; nothing was changed
        """
        with self._alone():
            self._mend()
            before, champions = self._aliases().get(CHAMPION, ""), self.champions()
            if in_place_of is not None and before != in_place_of:
                raise ChampionChangedError
            if before != number:
                moment = at.astimezone(UTC).isoformat(timespec="microseconds")
                self.describe(number, {PREVIOUS_TAG: before or "none", PROMOTED_TAG: moment, REASON_TAG: reason})
                self._crown(number)
                self._list((*champions, number))
                self._mend()
        return before

    def roll_back(self) -> tuple[str, str]:
        """Give the alias ``champion`` back to who had it before; return that version, and the one that lost it.

        Raises
        ------
        RegistryError : nobody was champion before
        """
        with self._alone():
            self._mend()
            now, champions = self._aliases().get(CHAMPION, ""), self.champions()
            earlier = champions[:-1] if now else champions
            if not earlier:
                raise RegistryError(
                    f"there is nothing to roll back to: no version of {self.name!r} was champion before"
                    f"{f' version {now}' if now else ''}; promote one with `python -m segml.registry promote VERSION`"
                )
            self._crown(earlier[-1])
            self._mend()
        return earlier[-1], now

    def mend(self) -> str:
        """Bring the list of champions in line with the alias; return what was not, in words, or an empty string."""
        self._check_there()
        with self._alone():
            return self._mend()

    def run(self, run_id: str) -> Any:
        """Return a run of the store as MLflow tells it."""
        return self._call(lambda client: client.get_run(run_id))

    def fetch(self, run_id: str, file: str, folder: Path) -> Path:
        """Return the local path of an artifact of a run, fetched into a folder."""
        return Path(self._call(lambda client: client.download_artifacts(run_id, file, str(folder))))

    def _check_there(self) -> None:
        if self.uri.startswith("sqlite:") and not sqlite_path(self.uri).is_file():
            raise RegistryError(f"there is no tracking store at {self.uri}; train first, or set tracking.uri")

    def _mend(self) -> str:
        versions = {version.number: version for version in self.versions()}
        listed, now = self.champions(), self._aliases().get(CHAMPION, "")
        kept, left = in_line(listed, now, versions)
        for number in left:
            self.describe(number, {ROLLED_BACK_TAG: f"in favour of version {now}"})
        if now and ROLLED_BACK_TAG in versions[now].tags:
            self._call(lambda client: client.delete_model_version_tag(self.name, now, ROLLED_BACK_TAG))
        if kept == listed:
            return ""
        self._list(kept)
        return (
            f"the list of champions was {' '.join(listed) or 'empty'}, but {f'version {now}' if now else 'no version'} "
            f"has the alias (set by hand, or a command was cut short); the list is now {' '.join(kept) or 'empty'}"
        )

    def _crown(self, number: str) -> None:
        self._call(lambda client: client.set_registered_model_alias(self.name, CHAMPION, number))
        if self._aliases().get(CHALLENGER) == number:
            self._call(lambda client: client.delete_registered_model_alias(self.name, CHALLENGER))

    def _list(self, champions: Sequence[str]) -> None:
        self._call(lambda client: client.set_registered_model_tag(self.name, CHAMPIONS_TAG, " ".join(champions)))

    def _aliases(self) -> dict[str, str]:
        return {alias: str(number) for alias, number in self._model().aliases.items()}

    def _model(self) -> Any:
        return self._call(lambda client: client.get_registered_model(self.name))

    def _call(self, call: Callable[[Any], Answer]) -> Answer:
        def made() -> Answer:
            from mlflow import MlflowClient

            self._client = self._client or MlflowClient(self.uri)
            return call(self._client)

        return self._retry(made)

    def _alone(self) -> AbstractContextManager[Any]:
        """Let one process at a time change a store in a file; servers have no such lock to offer."""
        return FileLock(f"{sqlite_path(self.uri)}.lock") if self.uri.startswith("sqlite:") else nullcontext()


def in_line(listed: Sequence[str], now: str, existing: Container[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the list of champions as the alias has it, and who fell off its end: these were rolled back.

    >>> in_line(("1", "2"), "3", "123"), in_line(("1", "2", "3"), "2", "123")
    ((('1', '2', '3'), ()), (('1', '2'), ('3',)))
    """
    known = tuple(number for number in listed if number in existing)
    if not now:
        return known, ()
    if now not in known:
        return (*known, now), ()
    end = len(known) - known[::-1].index(now)
    return known[:end], known[end:]


def told(versions: Sequence[Version]) -> str:
    """Return in words which versions and aliases there are.

    >>> told([])
    'none'
    """
    if not versions:
        return "none"
    numbers = [version.number for version in versions]
    shown = ", ".join(numbers if len(numbers) <= MOST_TOLD else [*numbers[:MOST_TOLD], "…"])
    aliases = [f"{alias} (version {version.number})" for version in versions for alias in version.aliases]
    return f"versions {shown}; " + (f"aliases {', '.join(aliases)}" if aliases else "no aliases")


def _all_versions(client: Any, name: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version), reverse=True)


def _version(version: Any, aliases: Mapping[str, str]) -> Version:
    number = str(version.version)
    return Version(
        number,
        version.run_id or "",
        tuple(sorted(alias for alias, holder in aliases.items() if holder == number)),
        dict(version.tags),
        datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
    )
