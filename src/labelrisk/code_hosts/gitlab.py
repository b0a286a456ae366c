"""A merge request of GitLab, with an access token: that of a job may not write notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labelrisk.code_hosts.contract import Comment
from labelrisk.code_hosts.environment import needed
from labelrisk.code_hosts.json_requests import JsonRequests

TOKEN = "LABELRISK_GITLAB_TOKEN"
ALLOW = f"let {TOKEN} be a project access token of the role Reporter or higher with the scope api, that has not expired"


class GitLab:
    """The merge request that a job is about, by the variables that GitLab CI sets."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        token = needed(environment, TOKEN, "add it as a masked CI/CD variable of the project")
        api, project, request = (
            needed(environment, name, "run this in a job of a merge request pipeline")
            for name in ("CI_API_V4_URL", "CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_IID")
        )
        self._requests = JsonRequests("GitLab", api, {"PRIVATE-TOKEN": token, "User-Agent": "labelrisk"}, ALLOW)
        self._notes = f"/projects/{project}/merge_requests/{request}/notes"
        self._address = f"{environment.get('CI_MERGE_REQUEST_PROJECT_URL', '')}/-/merge_requests/{request}"

    def comments(self) -> Iterator[Comment]:
        """See CodeHost."""
        own = self._requests.ask("GET", "/user")["id"]
        for one in self._requests.pages(self._notes):
            yield Comment(one["id"], one["body"] or "", one["author"]["id"] == own and not one["system"])

    def write(self, text: str) -> str:
        """See CodeHost."""
        return self._at(self._requests.ask("POST", self._notes, {"body": text})["id"])

    def change(self, comment: int, text: str) -> str:
        """See CodeHost."""
        return self._at(self._requests.ask("PUT", f"{self._notes}/{comment}", {"body": text})["id"])

    def _at(self, note: int) -> str:
        return f"{self._address}#note_{note}"
