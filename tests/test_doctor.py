"""`labelrisk doctor`: real endpoints, repositories and remotes, whole and broken, each a line with what to do."""

import re
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import yaml
from loopback import served
from study_files import params, write_study

from labelrisk.cli import main
from labelrisk.commands import doctor
from labelrisk.doctor.findings import Finding, Probe, found_by, lines_of
from labelrisk.doctor.machine import versions

CHAT = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "shots": 0, "confidence": "none"}
KEY = "sk-0123456789abcdefghij"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that is in no repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    return tmp_path


@pytest.fixture
def told(folder, capsys):
    """A function that runs the command; returns what it says by subject, its exit code, and what it printed."""

    def run(*words):
        code = main(["doctor", *words])
        out, err = capsys.readouterr()
        assert max(map(len, out.splitlines())) <= 80
        assert all(
            line[:7] in ("ok     ", "look   ", "fault  ") or line.startswith(" " * 21) for line in out.splitlines()
        )
        joined = re.sub(r"\n {21}", " ", out)
        said = {}
        for line in joined.splitlines():
            state, about, says = line[:7].strip(), line[7:21].strip(), line[21:]
            said.setdefault(about, []).append((state, says))
        return said, code, out + err

    return run


def declare(folder, **annotators):
    """A study whose chat annotators are these."""
    content = params(sources={"gold": {"annotator": "gold"}}, ensemble={"across": ["gold"]})
    gold = {"gold": content["annotators"]["gold"]}
    content["annotators"] = gold | {name: CHAT | of for name, of in annotators.items()}
    write_study(folder, content)


def listing(*names):
    return lambda path: (200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def never(text, before):
    raise AssertionError("a paid request was sent")


def git(folder, *words):
    author = ["-c", "user.name=b", "-c", "user.email=b@b"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


# ---- outside of everything


def test_a_bare_folder_gets_a_line_each_and_no_fault(told):
    said, code, out = told()
    assert code == 0
    assert [one for one, found in said.items() if found[0][0] == "look"] == ["DVC", "params", "git"]
    assert said["params"] == [
        ("look", "there is no params.yaml here; run this in a study's folder, or make one with `labelrisk init`")
    ]
    assert re.fullmatch(r"Python 3\.\d+\.\d+, labelrisk [\w.]+, dvc [\w.]+", said["versions"][0][1])
    assert re.fullmatch(r"(CPU|GPU .*); bf16 is .*", said["device"][0][1])
    assert said["call cache"] == [("ok", "no answers yet, in .labelrisk/calls.sqlite")]
    assert "fault" not in out


def test_params_that_cannot_be_read_are_a_fault_and_hide_no_other_line(told, folder):
    (folder / "params.yaml").write_text("annotators: [\n")
    said, code, out = told()
    assert code == 1
    assert said["params"][0][0] == "fault"
    assert "git" in said
    assert re.search(r"labelrisk doctor: 1 of \d+ lines are faults; do what they say, then look again\n$", out)


def test_seconds_must_be_some(told, capsys):
    assert main(["doctor", "--seconds", "0"]) == 1
    assert "--seconds is 0, but a probe needs some time; give 1 or more" in capsys.readouterr().err


def test_versions_other_than_those_of_the_lock_file(tmp_path):
    (tmp_path / "src" / "labelrisk").mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text("dvc[s3]==0.1.2  # via x\nno-such-package==1\n")
    found = versions(tmp_path)
    assert (found[-1].state, found[-1].says.startswith("not as in requirements.lock: dvc ")) == ("look", True)
    assert found[-1].says.endswith(", not 0.1.2; run `make setup`")
    assert len(found) == 3


# ---- endpoints


def test_an_endpoint_that_serves_the_model(told, folder, monkeypatch):
    monkeypatch.setenv("THE_KEY", KEY)
    with served(never) as ledger:
        ledger.get = listing("m", "other")
        declare(folder, gpt={"base_url": ledger.url, "api_key_env": "THE_KEY", "serves": ["logprobs"]})
        said, code, out = told()
    says = f"{ledger.url} serves m and other, with the key in THE_KEY; [logprobs] by `labelrisk probe`"
    assert (said["gpt"], code) == ([("ok", says)], 0)
    ((path, headers),) = ledger.got
    assert (path, {name.lower(): value for name, value in headers.items()}["authorization"]) == (
        "/v1/models",
        f"Bearer {KEY}",
    )
    assert not ledger.bodies
    assert KEY not in out


def test_an_endpoint_without_the_model_and_one_without_a_list(told, folder):
    with served(never) as ledger, served(never) as other, served(never) as page:
        ledger.get = listing("gpt-4.1-mini", "gpt-4.1")
        page.get = lambda path: (200, b"<html>It works!</html>")
        one = {"base_url": ledger.url, "model": "gpt-4.1-mimi"}
        declare(folder, one=one, two={"base_url": other.url}, three={"base_url": page.url})
        said, code, _ = told()
    assert code == 0
    assert said["one"][0][0] == "look"
    assert "does not list gpt-4.1-mimi, but gpt-4.1-mini, gpt-4.1; did you mean 'gpt-4.1-mini'?" in said["one"][0][1]
    assert said["two"] == [("ok", f"{other.url} answers, but lists no models; `labelrisk probe` asks what it serves")]
    assert said["three"][0][0] == "look"
    assert "is no list; is base_url in params.yaml that of an API (.../v1)?" in said["three"][0][1]


@pytest.mark.parametrize(
    ("reply", "state", "says"),
    [
        ((401, {"error": {"message": f"bad key {KEY}"}}), "fault", "refused the key (status 401: bad key ***); check"),
        ((302, b"", {"Location": "http://x/login"}), "fault", "sends us on to http://x/login; correct base_url"),
        ((503, {"error": {"message": "loading"}}), "fault", "status 503: loading; start its server, or correct"),
        ((400, {"error": {"message": "no"}}), "look", "answers, but not about its models (status 400: no); run"),
    ],
)
def test_an_endpoint_that_refuses(told, folder, monkeypatch, reply, state, says):
    monkeypatch.setenv("THE_KEY", KEY)
    with served(never) as ledger:
        ledger.get = lambda path: reply
        declare(folder, gpt={"base_url": ledger.url, "api_key_env": "THE_KEY"})
        said, code, out = told()
    assert (said["gpt"][0][0], code) == (state, int(state == "fault"))
    assert says in said["gpt"][0][1]
    assert KEY not in out


def test_the_embedded_model_needs_no_network(told, folder):
    declare(folder, model={"base_url": "embedded"})
    assert told()[0]["model"] == [("ok", "the embedded model, in this process: no network, no key")]


def test_a_dead_port_a_slow_endpoint_and_a_key_that_is_not_set_beside_each_other(told, folder, monkeypatch):
    monkeypatch.delenv("NO_KEY", raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    over = threading.Event()
    with served(never) as slow:
        slow.get = lambda path: (200, {"waited": over.wait(20)})
        declare(
            folder,
            dead={"base_url": f"http://127.0.0.1:{port}/v1"},
            slow={"base_url": slow.url},
            keyless={"base_url": slow.url, "api_key_env": "NO_KEY"},
        )
        monkeypatch.setattr(doctor, "REQUEST", 0.5)
        said, code, out = told()
        over.set()
    assert code == 1
    assert "3 of " in out
    assert "can't be reached" in said["dead"][0][1]
    assert "start its server, or correct base_url in params.yaml" in said["dead"][0][1]
    assert said["slow"] == [
        ("fault", f"{slow.url} gave no answer within 0.5 s; see whether its server still loads"),
    ]
    assert "the variable NO_KEY, which is not set; run `export NO_KEY=...` first" in said["keyless"][0][1]
    assert len(slow.got) == 1  # nothing is sent without the key


# ---- git, DVC and its remotes


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A git and DVC repository with a committed study of one stage and an output in the DVC cache."""
    folder = tmp_path_factory.mktemp("made")
    git(folder, "init", "--initial-branch", "main")
    declare(folder)
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"one": {"cmd": "true", "outs": ["out.txt"]}}}))
    (folder / "out.txt").write_text("labels")
    for words in (["init"], ["commit", "--force"]):
        subprocess.run([sys.executable, "-m", "dvc", *words, "--quiet"], cwd=folder, check=True)
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "study")
    return folder


@pytest.fixture
def repository(folder, made):
    """A copy of it, which is the current folder."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder


def squeezed(found):
    """Without spaces: a long path is broken where a line ends."""
    return [(state, says.replace(" ", "")) for state, says in found]


def configure(folder, **remotes):
    lines = [f"[core]\n    remote = {next(iter(remotes))}"]
    lines += [f"['remote \"{name}\"']\n    url = {url}" for name, url in remotes.items()]
    (folder / ".dvc" / "config").write_text("\n".join(lines) + "\n")


def test_a_repository_in_order(told, repository):
    (repository / ".gitattributes").write_text("dvc.lock merge=ours\n")
    git(repository, "config", "merge.ours.driver", "true")
    remote = repository.parent / f"{repository.name}_remote"
    configure(repository, store=remote)
    shutil.copytree(repository / ".dvc" / "cache", remote)
    said, code, _ = told()
    assert code == 0
    assert re.fullmatch(r"main at [0-9a-f]{7,}", said["git"][0][1])
    assert said["merges"] == [("ok", "`ours` of dvc.lock is set; after one run `labelrisk repro`")]
    assert said["commits"] == [("ok", "params.yaml, dvc.yaml, dvc.lock: as committed")]
    assert squeezed(said["remote store"]) == squeezed([("ok", f"{remote} has all of dvc.lock (1 outputs)")])
    assert said["stages"] == [("ok", "all are up to date")]
    assert re.fullmatch(r"6 B in \.dvc/cache/files/md5, outputs are \w+", said["DVC cache"][0][1])
    assert not list((repository / ".dvc" / "tmp").glob("*doctor*"))


def test_a_repository_with_things_to_do(told, repository):
    (repository / ".gitattributes").write_text("dvc.lock merge=ours\n")
    (repository / "params.yaml").write_text((repository / "params.yaml").read_text() + "\n# edited\n")
    empty, gone = repository.parent / f"{repository.name}_empty", repository.parent / "gone"
    empty.mkdir()
    configure(repository, empty=empty, gone=gone)
    said, code, _ = told()
    assert code == 1
    assert said["merges"][0][0] == "look"
    assert said["merges"][0][1].endswith("run `git config merge.ours.driver true`")
    assert said["commits"] == [("look", "not committed: params.yaml; run `git commit`")]
    lacks = f"{empty} lacks 1 of 1 outputs of dvc.lock (out.txt); run `dvc push`"
    assert squeezed(said["remote empty"]) == squeezed([("look", lacks)])
    assert said["remote gone"][0][0] == "fault"
    assert "which is not there; mount it, or let `dvc push` make it" in said["remote gone"][0][1]


def test_a_study_that_is_not_committed_yet_has_nothing_to_push(told, repository, monkeypatch):
    study, remote = repository / "studies" / "new", repository.parent / f"{repository.name}_new"
    remote.mkdir()
    study.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--subdir", "--quiet"], cwd=study, check=True)
    configure(study, store=remote)
    monkeypatch.chdir(study)
    answers = f"{remote} answers; no commit names outputs that are pushed there"
    assert squeezed(told()[0]["remote store"]) == squeezed([("ok", answers)])


def test_a_remote_that_cannot_be_reached_shows_no_password(told, repository):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    configure(repository, web=f"http://user:hunter2@127.0.0.1:{port}/store")
    said, code, out = told()
    assert code == 1
    assert said["remote web"][0][0] == "fault"
    assert "can't be reached at 127.0.0.1 ([Errno 111] Connection refused)" in said["remote web"][0][1]
    assert "hunter2" not in out


def test_a_configuration_of_dvc_that_cannot_be_read_is_a_fault(told, repository):
    (repository / ".dvc" / "config").write_text("broken\n")
    said, code, _ = told()
    assert code == 1
    assert said["remotes"][0][0] == "fault"
    assert said["remotes"][0][1].startswith("DVC can't read .dvc/config (config file error: Invalid line ('broken')")


def test_a_lock_with_marks_of_a_merge_is_a_fault(told, repository):
    (repository / "dvc.lock").write_text("<<<<<<< HEAD\nschema: '2.0'\n=======\n>>>>>>> b\n")
    said, code, _ = told()
    assert code == 1
    assert said["stages"] == [("fault", "dvc.lock can't be read, perhaps after a merge; repair it")]


def test_a_stage_whose_params_changed_is_out_of_date(told, repository):
    lock = {"stages": {"one": {"cmd": "true", "params": {"params.yaml": {"seeds": [9]}}}}}
    (repository / "dvc.lock").write_text(yaml.safe_dump(lock))
    assert told()[0]["stages"] == [("look", "out of date: one (changed: seeds); run `labelrisk repro`")]


def test_a_damaged_call_cache_is_a_fault(told, folder):
    (folder / ".labelrisk").mkdir()
    (folder / ".labelrisk" / "calls.sqlite").write_bytes(b"no database" * 100)
    said, code, _ = told()
    assert (said["call cache"][0][0], code) == ("fault", 1)


# ---- probes


def test_probes_run_at_once_and_none_beyond_its_time():
    over = threading.Event()

    def slow():
        over.wait(20)
        return [Finding("ok", "slow", "late")]

    def broken():
        raise RuntimeError("it broke")

    probes = [Probe("slow", slow), Probe("broken", broken), Probe("fine", lambda: [Finding("ok", "fine", "x")])]
    started = time.monotonic()
    found = list(found_by(probes, 0.3))
    over.set()
    assert time.monotonic() - started < 2
    assert found == [
        ("look", "slow", "no answer within 0.3 s; try again, or with more --seconds"),
        ("look", "broken", "can't be looked at (it broke)"),
        ("ok", "fine", "x"),
    ]


def test_lines_are_ascii_within_80_columns_and_without_secrets(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", KEY)
    says = f"s3://user:pass@host/\x1b[31m?X-Signature=abc {KEY} \u202e " + "word " * 30
    lines = lines_of(Finding("look", "remote with a long name", says))
    text = textwrap.dedent("\n".join(lines))
    assert max(map(len, lines)) <= 80
    assert text.isascii()
    for secret in ("pass@", "X-Signature=abc", KEY, "\x1b"):
        assert secret not in text
