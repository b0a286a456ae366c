"""A pull request of GitHub, with the token of an Actions job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from labelrisk.code_hosts.contract import Comment
from labelrisk.code_hosts.environment import needed
from labelrisk.code_hosts.json_requests import JsonRequests
from labelrisk.errors import LabelRiskError, shown

TOKEN = "GITHUB_TOKEN"
JOB = "github-actions[bot]"  # who writes with a job's own token
PULL = re.compile(r"refs/pull/([0-9]+)/")
ALLOW = (
    "give the job `permissions: pull-requests: write` and GITHUB_TOKEN; a pull request from a fork has no such token, "
    "and its review stands in the job's summary"
)


class GitHub:
    """The pull request that a job is about, by the variables that Actions sets."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        token = needed(environment, TOKEN, "set it to ${{ github.token }} in the step's env")
        repository = needed(environment, "GITHUB_REPOSITORY", "run this in a job of GitHub Actions")
        ref = needed(environment, "GITHUB_REF", "run this in a job of GitHub Actions")
        found = PULL.match(ref)
        if not found:
            raise LabelRiskError(f"GITHUB_REF is '{shown(ref)}', no pull request; run the job `on: pull_request`")
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "labelrisk",
        }
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        self._requests = JsonRequests("GitHub", api, headers, ALLOW)
        self._issues = f"/repos/{repository}/issues"
        self._number = found[1]

    def comments(self) -> Iterator[Comment]:
        """See CodeHost."""
        for one in self._requests.pages(f"{self._issues}/{self._number}/comments"):
            yield Comment(one["id"], one["body"] or "", (one["user"] or {}).get("login") == JOB)

    def write(self, text: str) -> str:
        """See CodeHost."""
        return str(self._requests.ask("POST", f"{self._issues}/{self._number}/comments", {"body": text})["html_url"])

    def change(self, comment: int, text: str) -> str:
        """See CodeHost."""
        return str(self._requests.ask("PATCH", f"{self._issues}/comments/{comment}", {"body": text})["html_url"])
