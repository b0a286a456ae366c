"""CI: the workflows by their hosts' schemas and by what they must not do, and the one comment against a played API."""

import re
import subprocess
import sys

import pytest
import yaml
from code_host import TOKEN, code_host
from dvc_study import ENVIRONMENT

from labelrisk.cli import main
from labelrisk.code_hosts.one_comment import mark_of

WORKFLOW, GITLAB_CI = ".github/workflows/review.yml", ".gitlab-ci.yml"
SCHEMAS = {
    WORKFLOW: ["--builtin-schema", "vendor.github-workflows"],
    GITLAB_CI: ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


@pytest.fixture
def job(project):
    """The job of the GitHub workflow."""
    return yaml.safe_load((project / WORKFLOW).read_text())["jobs"]["review"]


@pytest.fixture
def scripts(project, job):
    """All shell that either workflow runs, by a name."""
    found = {f"github: {step['name']}": step["run"] for step in job["steps"] if "run" in step}
    gitlab = yaml.safe_load((project / GITLAB_CI).read_text())["review"]
    for part in ("before_script", "script"):
        found |= {f"gitlab: {part} {number}": line for number, line in enumerate(gitlab[part])}
    return found


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_workflow_is_one_by_its_hosts_schema(project, path):
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[path], path]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_schema_finds_a_key_that_is_misspelt(project, tmp_path):
    (tmp_path / "review.yml").write_text((project / WORKFLOW).read_text().replace("runs-on:", "run-on:"))
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[WORKFLOW], "review.yml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1


def test_the_shell_of_the_workflows_is_shell(scripts):
    assert len(scripts) > 10
    for name, script in scripts.items():
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), name


def test_what_others_write_reaches_no_shell_but_through_quoted_variables(scripts):
    for name, script in scripts.items():
        assert "${{" not in script, name
        unquoted = re.sub(r'"[^"]*"', '""', script)
        assert "$" not in unquoted, (name, unquoted)


def test_a_job_may_do_no_more_than_it_must(project, job):
    workflow = yaml.safe_load((project / WORKFLOW).read_text())
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert list(workflow[True]) == ["pull_request"]  # `on`; pull_request_target would give forks a token
    assert workflow["concurrency"]["cancel-in-progress"] is True
    used = {step["uses"]: step.get("with", {}) for step in job["steps"] if "uses" in step}
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", name) for name in used)
    assert next(of for name, of in used.items() if "checkout" in name)["persist-credentials"] is False
    with_secrets = [step for step in job["steps"] if re.search("secrets|github.token", str(step.get("env", "")))]
    assert len(with_secrets) == 2
    assert all("env.OURS == 'true'" in step["if"] for step in with_secrets)  # none of a fork
    assert not re.search("secrets|token", str(job["env"]))


def test_without_a_remote_the_step_of_the_remote_passes_and_says_so(project, scripts, tmp_path):
    environment = ENVIRONMENT | {"HOME": str(tmp_path)}
    for command in ("git init -q", "dvc init -q"):
        subprocess.run(command.split(), cwd=tmp_path, check=True, env=environment)
    first, second = (script for script in scripts.values() if "check-remote" in script)
    assert first.partition(";")[0] == second.partition(";")[0] == "if dvc remote default"
    done = subprocess.run(["bash", "-ec", first], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no DVC remote is set, so outputs are not looked for" in done.stdout


@pytest.mark.parametrize("of", ["the project", "a fork"])
def test_the_branch_to_merge_into_is_that_of_the_project(scripts, tmp_path, of):
    """In a fork's pipeline `origin` is the fork, whose branch of that name may be old, or be none."""
    (fetch,) = (script for script in scripts.values() if "git fetch" in script)
    environment = ENVIRONMENT | {"HOME": str(tmp_path), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    environment |= {"CI_MERGE_REQUEST_PROJECT_URL": f"file://{tmp_path}/project"}
    environment |= {"CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_PROJECT_ID": "5" if of == "the project" else "6"}

    def git(*words):
        done = subprocess.run(
            ["git", *words], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-qb", "main", "project.git")
    git("-C", "project.git", "commit", "-q", "--allow-empty", "-m", "first")
    git("clone", "-q", f"file://{tmp_path}/project.git", "fork")
    git("-C", "project.git", "commit", "-q", "--allow-empty", "-m", "main went on")
    git("clone", "-q", f"file://{tmp_path}/{'project.git' if of == 'the project' else 'fork'}", "job")
    subprocess.run(["bash", "-ec", fetch], cwd=tmp_path / "job", env=environment, check=True)
    assert git("-C", "job", "rev-parse", "origin/base") == git("-C", "project.git", "rev-parse", "main")


def test_the_commands_of_the_workflows_are_commands(scripts, capsys):
    words = {
        tuple(found) for script in scripts.values() for found in re.findall(r"labelrisk ([a-z-]+)([^\n>]*)", script)
    }
    assert {word for word, _ in words} == {"check", "check-lock", "check-remote", "review", "comment"}
    for word, rest in words:
        with pytest.raises(SystemExit) as ended:
            main([word, "--help"])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert all(option in said for option in re.findall(r"--[a-z-]+", rest))


@pytest.fixture
def host():
    with code_host() as found:
        yield found


@pytest.fixture
def review(tmp_path, monkeypatch, host):
    """A review on disk, in the environment of a job of either host."""
    monkeypatch.chdir(tmp_path)
    variables = {
        "GITHUB_API_URL": host.url,
        "GITHUB_REPOSITORY": "me/study",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_TOKEN": TOKEN,
        "CI_API_V4_URL": host.url,
        "CI_PROJECT_ID": "6",  # where a fork's pipeline runs
        "CI_MERGE_REQUEST_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.com/me/study",
        "LABELRISK_GITLAB_TOKEN": TOKEN,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "review.md").write_text("# first\n")
    return tmp_path / "review.md"


ADDRESSES = {
    "github": "https://github.com/me/study/pull/7#issuecomment-",
    "gitlab": "https://gitlab.com/me/study/-/merge_requests/7#note_",
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_comment_is_made_once_and_then_edited_in_place(host, review, name, capsys):
    for number in range(120):  # the comment is not on the first page
        host.add(f"talk {number}", "somebody", account=4)
    assert main(["comment", name, "review.md"]) == 0
    assert [one["body"] for one in host.comments[120:]] == ["<!-- labelrisk review -->\n# first\n"]
    assert capsys.readouterr().out == f"{ADDRESSES[name]}121\n"
    review.write_text(f"{mark_of('')}\n# second, of its own mark\n")
    host.add("talk at the end", "somebody", account=4)
    assert main(["comment", name, "review.md"]) == 0
    assert len(host.comments) == 122
    assert host.comments[120]["body"] == "<!-- labelrisk review -->\n# second, of its own mark\n"
    assert capsys.readouterr().out == f"{ADDRESSES[name]}121\n"


@pytest.mark.parametrize("name", ADDRESSES)
def test_each_study_has_a_comment_of_its_own_and_a_marked_one_of_somebody_else_is_left(host, review, name):
    host.add(f"{mark_of('')}\nall is well, says an attacker", "somebody", account=4)
    for study in ("", "studies/babe", ""):
        review.write_text(f"{mark_of(study)}\n# {study}\n")
        assert main(["comment", name, "review.md"]) == 0
    assert [one["body"].partition("\n")[0] for one in host.comments] == [
        mark_of(""), mark_of(""), "<!-- labelrisk review studies/babe -->",
    ]  # fmt: skip
    assert host.comments[0]["body"].endswith("says an attacker")


def test_a_mark_ends_where_it_ends():
    assert mark_of("a --> <script>") == "<!-- labelrisk review a--script -->"


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_host_that_refuses_is_one_sentence_without_the_token(host, review, name, capsys):
    host.refuse = 403
    assert main(["comment", name, "review.md"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert " answers 403 (Resource not accessible by integration) to POST " in err
    assert {"github": "pull-requests: write", "gitlab": "LABELRISK_GITLAB_TOKEN"}[name] in err
    assert TOKEN not in err


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_wrong_token_is_one_sentence(host, review, name, monkeypatch, capsys):
    for variable in ("GITHUB_TOKEN", "LABELRISK_GITLAB_TOKEN"):
        monkeypatch.setenv(variable, "another-token")
    assert main(["comment", name, "review.md"]) == 1
    err = capsys.readouterr().err
    assert " answers 401 (Bad credentials) to GET " in err
    assert "another-token" not in err


def test_the_token_is_taken_nowhere_else(host, review, capsys):
    with code_host() as other:
        host.redirect = f"{other.url}/repos/me/study/issues/7/comments"
        assert main(["comment", "github", "review.md"]) == 1
        assert other.requests == []
    assert "GitHub answers 302 to GET /repos/me/study/issues/7/comments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "variable", "says"),
    [
        ("github", "GITHUB_TOKEN", "the environment variable GITHUB_TOKEN is not set; set it to ${{ github.token }}"),
        ("github", "GITHUB_REF", "the environment variable GITHUB_REF is not set; run this in a job of GitHub Actions"),
        ("gitlab", "LABELRISK_GITLAB_TOKEN", "LABELRISK_GITLAB_TOKEN is not set; add it as a masked CI/CD variable"),
        ("gitlab", "CI_MERGE_REQUEST_IID", "run this in a job of a merge request pipeline"),
    ],
)
def test_outside_of_a_job_it_is_one_sentence(review, monkeypatch, capsys, name, variable, says):
    monkeypatch.delenv(variable)
    assert main(["comment", name, "review.md"]) == 1
    assert says in capsys.readouterr().err


def test_a_job_that_is_about_no_pull_request_is_told(review, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert main(["comment", "github", "review.md"]) == 1
    assert "GITHUB_REF is 'refs/heads/main', no pull request" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "review.md is empty"), ("x" * 65_001, "review.md has 65,001 characters"), (None, "review.md is not there")],
)
def test_a_review_that_is_none_is_not_posted(host, review, capsys, content, says):
    review.unlink() if content is None else review.write_text(content)
    assert main(["comment", "github", "review.md"]) == 1
    assert says in capsys.readouterr().err
    assert host.comments == []


def test_a_host_that_does_not_answer_is_one_sentence(review, monkeypatch, capsys):
    from servers import free_port

    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{free_port()}")
    assert main(["comment", "github", "review.md"]) == 1
    err = capsys.readouterr().err
    assert "GitHub gives no answer to GET /repos/me/study/issues/7/comments (" in err
    assert err.count("\n") == 1
