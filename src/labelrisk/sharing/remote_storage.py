"""The storage of one DVC remote, asked for files by their hash; what it can't answer is told from what it lacks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from labelrisk.errors import LabelRiskError, shown


class RemoteStorage:
    """The files of one remote.

    Raises LabelRiskError where none is set, or it can't be asked.
    """

    def __init__(self, repo: Any, remote: str | None, hash_name: str) -> None:
        """repo: dvc.repo.Repo; remote: None for the default one."""
        from dvc.config import NoRemoteError  # type: ignore[import-untyped]

        name = remote or repo.config["core"].get("remote")
        self._what = f"the DVC remote '{shown(name)}'"
        with self._answering():
            try:
                self._files = repo.cloud.get_remote_odb(remote, hash_name=hash_name)
            except NoRemoteError:
                raise LabelRiskError(
                    "no DVC remote is set, so nobody else can get what dvc.lock names; set one with `dvc remote add "
                    "--default NAME URL`, commit .dvc/config, then `dvc push`"
                ) from None
            self._fs = self._files.fs
        if self._fs.protocol == "local" and not self._fs.exists(str(repo.config["remote"][name]["url"])):
            raise LabelRiskError(
                f"{self._what} is the folder {shown(repo.config['remote'][name]['url'], 200)}, which is not there; "
                "mount it, or let `dvc push` make it"
            )

    def sizes(self, hashes: Sequence[str]) -> dict[str, int | None]:
        """By hash the size in bytes of each file that is there."""
        if not hashes:
            return {}
        with self._answering():
            found = self._fs.info([self._files.oid_to_path(one) for one in hashes], return_exceptions=True)
            for one in found:
                if isinstance(one, Exception) and not _is_absence(one):
                    raise one
        return {name: one.get("size") for name, one in zip(hashes, found, strict=True) if isinstance(one, dict)}

    def listed(self, folder: str) -> list[str] | None:
        """The hashes of a folder's files by the hash of their list; None where the list is damaged."""
        with self._answering(), self._fs.open(self._files.oid_to_path(folder), "rb") as file:
            content = file.read()
        try:
            return [str(entry["md5"]) for entry in json.loads(content)]
        except (ValueError, LookupError, TypeError):
            return None

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Word whatever a storage's client says; DVC's own messages would stand between."""
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        except LabelRiskError:
            raise
        except Exception as error:  # of any storage's client
            cause = error.__cause__ or error
            if isinstance(cause, ModuleNotFoundError):
                plugin = str(cause.name).removeprefix("dvc_")
                raise LabelRiskError(f"{self._what} needs a plugin of DVC; run `pip install 'dvc[{plugin}]'`") from None
            reason = shown(" ".join((str(cause) or type(cause).__name__).split()).rstrip("."), 200)
            raise LabelRiskError(
                f"{self._what} can't be asked ({reason}), so what it lacks is not known; check its address, the "
                "network and the keys in the environment"
            ) from None
        finally:
            logging.disable(before)


def _is_absence(error: Exception) -> bool:
    """Whether a file is not there; the client of HTTP says so, too, where the server is not there."""
    cause = error.__cause__
    is_away = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    return isinstance(error, FileNotFoundError) and not is_away and getattr(cause, "status", 404) == 404
