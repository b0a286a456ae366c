"""What a commit names and the remote lacks, found before the merge, from a clone that has no data and no cache."""

import importlib.util
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from dvc.cli import main as dvc
from dvc_study import ENVIRONMENT
from servers import S3_KEYS, free_port, s3_server

from labelrisk.cli import main

STAGES = {
    "labels": {"cmd": "mkdir -p labels && echo a > labels/a && echo b > labels/b", "outs": ["labels"]},
    "train": {
        "foreach": ["one", "two"],
        "do": {"cmd": "echo ${item} > ${item}", "outs": ["${item}"], "deps": ["labels"]},
    },
    "student": {"cmd": "echo weights > student", "outs": [{"student": {"push": False}}]},
    "scores": {"cmd": "echo 1 > scores", "outs": [{"scores": {"cache": False}}]},
}


def git(*words):
    done = subprocess.run(["git", *words], check=True, env=ENVIRONMENT, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def web_server(folder):
    """The address of a web server of a folder's files, until the block ends."""
    handler = partial(QuietHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    """A repository whose outputs are committed and pushed to a folder."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("pushed")
        patch.chdir(root)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
        git("init", "-qb", "main")
        words = ("init -q", f"remote add -qd folder {root.with_name('remote')}", "repro -q", "push -q")
        assert [dvc(one.split()) for one in words] == [0, 0, 0, 0]
        git("add", "-A")
        git("commit", "-qm", "labels")
    return root


@pytest.fixture
def clone(pushed, tmp_path, monkeypatch):
    """A clone as CI makes it, with a copy of the remote that a test may damage."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    remote = tmp_path / "remote"
    shutil.copytree(pushed.with_name("remote"), remote)
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{pushed}", str(tmp_path / "clone")], check=True)
    monkeypatch.chdir(tmp_path / "clone")
    (tmp_path / "clone" / ".dvc" / "config.local").write_text(f"['remote \"folder\"']\n    url = {remote}\n")
    return remote


def stored(remote, path):
    """The file of the remote that holds an output."""
    (md5,) = (
        out["md5"]
        for stage in yaml.safe_load(Path("dvc.lock").read_text())["stages"].values()
        for out in stage["outs"]
        if out["path"] == path
    )
    return remote / "files" / "md5" / md5[:2] / md5[2:]


def said(capsys, *words):
    """Exit code, output, error."""
    capsys.readouterr()
    code = main(["check-remote", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_clone_without_data_sees_that_all_is_there(clone, capsys):
    assert said(capsys) == (0, "OK: the remote has all outputs that `dvc push` sends and HEAD names: 3\n", "")
    assert not (clone.with_name("clone") / ".dvc" / "cache" / "files").exists()


def test_a_file_that_is_missing_is_named(clone, capsys):
    stored(clone, "one").unlink()
    assert said(capsys) == (
        1,
        "missing: one\n",
        "labelrisk check-remote: the remote lacks 1 of the 3 outputs that HEAD names; run `dvc push` where they were "
        "made\n",
    )


def test_a_file_of_a_folder_that_is_missing_is_counted(clone, capsys):
    listed = json.loads(stored(clone, "labels").read_text())
    md5 = listed[0]["md5"]
    (clone / "files" / "md5" / md5[:2] / md5[2:]).unlink()
    code, out, _ = said(capsys)
    assert (code, out) == (1, "missing: labels (1 of 2 files)\n")


def test_the_list_of_a_folder_that_is_missing_or_damaged_is_named(clone, capsys):
    place = stored(clone, "labels")
    place.chmod(0o644)
    place.write_text("[{")
    assert said(capsys)[:2] == (1, "missing: labels (the list of its files)\n")
    place.unlink()
    assert said(capsys)[:2] == (1, "missing: labels (the list of its files)\n")


def test_half_a_file_counts_as_missing(clone, capsys):
    place = stored(clone, "two")
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:2])
    assert said(capsys)[:2] == (1, "missing: two\n")


def test_it_is_about_the_commit_and_not_about_the_working_tree(clone, capsys):
    lock = Path("dvc.lock").read_text()
    md5 = yaml.safe_load(lock)["stages"]["train@one"]["outs"][0]["md5"]
    changed = lock.replace(md5, "a" * 32)
    Path("dvc.lock").write_text(changed)
    assert said(capsys)[0] == 0
    git("commit", "-qam", "not pushed")
    code, out, err = said(capsys)
    assert (code, out) == (1, "missing: one\n")
    assert "HEAD names" in err
    assert said(capsys, "--rev", "HEAD~1")[0] == 0
    assert git("status", "--porcelain") == ""


def test_a_study_in_a_sub_folder_is_looked_at_alone_with_the_texts_that_it_reads(clone, capsys, monkeypatch):
    stored(clone, "one").unlink()  # of the study above
    lock = {"schema": "2.0", "stages": {"copy": {"cmd": "cp ../texts.csv out"}}}
    lock["stages"]["copy"] |= {
        "deps": [{"path": "../texts.csv", "hash": "md5", "md5": "b" * 32, "size": 2}],
        "outs": [{"path": "out", "hash": "md5", "md5": "c" * 32, "size": 2}],
    }
    study = Path("study").resolve()
    study.mkdir()
    for name, content in {
        "study/dvc.yaml": {
            "stages": {"copy": {"cmd": "cp ../texts.csv out", "deps": ["../texts.csv"], "outs": ["out"]}}
        },
        "study/dvc.lock": lock,
        "texts.csv.dvc": {"outs": [{"path": "texts.csv", "hash": "md5", "md5": "b" * 32, "size": 2}]},
        "unread.csv.dvc": {"outs": [{"path": "unread.csv", "hash": "md5", "md5": "d" * 32, "size": 2}]},
    }.items():
        Path(name).write_text(yaml.safe_dump(content))
    git("add", "-A")
    git("commit", "-qm", "another study")
    monkeypatch.chdir(study)
    code, out, err = said(capsys)
    assert (code, out) == (1, "missing: study/out\nmissing: texts.csv\n")
    assert "lacks 2 of the 2 outputs" in err
    monkeypatch.chdir(study.parent)
    assert said(capsys)[1] == "missing: one\nmissing: study/out\nmissing: texts.csv\nmissing: unread.csv\n"


def test_an_output_with_a_remote_of_its_own_is_looked_for_there(clone, capsys, tmp_path):
    students = tmp_path / "students"
    students.mkdir()
    assert dvc(["remote", "add", "-q", "students", str(students)]) == 0
    pipeline = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(pipeline.replace("push: false", "remote: students"))
    git("commit", "-qam", "a second remote")
    assert said(capsys)[:2] == (1, "missing: student\n")
    place = stored(students, "student")
    place.parent.mkdir(parents=True)
    place.write_text("weights\n")
    assert said(capsys)[0] == 0


def test_what_is_no_commit_is_one_sentence(clone, capsys):
    code, out, err = said(capsys, "--rev", "nowhere")
    assert (code, out) == (1, "")
    assert err == (
        "labelrisk check-remote: git knows no revision 'nowhere'; name a commit, a branch or a tag (in a shallow clone "
        "`git fetch` it first)\n"
    )


def test_without_a_remote_it_is_one_sentence(clone, capsys):
    for name in ("config", "config.local"):
        Path(f".dvc/{name}").write_text("")
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "no DVC remote is set, so nobody else can get what dvc.lock names; set one with `dvc remote add" in err
    assert err.count("\n") == 1


def test_a_remote_that_is_away_is_told_from_one_that_lacks_outputs(clone, capsys):
    shutil.rmtree(clone)
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert f"the DVC remote 'folder' is the folder {clone}, which is not there; mount it" in err
    assert "lacks" not in err


def test_a_remote_that_nobody_answers_for_is_told_from_one_that_lacks_outputs(clone, capsys, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "never-shown")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    Path(".dvc/config.local").write_text(
        f"['remote \"folder\"']\n    url = s3://x/y\n    endpointurl = http://127.0.0.1:{free_port()}\n"
    )
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "the DVC remote 'folder' can't be asked (" in err
    assert "so what it lacks is not known" in err
    assert err.count("\n") == 1
    assert "never-shown" not in err


def test_a_web_server_that_is_away_is_told_from_one_that_lacks_outputs(clone, capsys, tmp_path):
    with web_server(clone) as url:
        config = Path(".dvc/config.local")
        config.write_text(f"['remote \"folder\"']\n    url = {url}\n")
        assert said(capsys)[0] == 0
        stored(clone, "one").unlink()
        assert said(capsys)[:2] == (1, "missing: one\n")
    code, out, err = said(capsys)
    assert (code, out) == (1, "")
    assert "can't be asked (" in err


@pytest.mark.skipif(importlib.util.find_spec("dvc_gs") is not None, reason="it is installed")
def test_a_storage_without_its_plugin_says_what_to_install(clone, capsys):
    Path(".dvc/config.local").write_text("['remote \"folder\"']\n    url = gs://x/y\n")
    assert said(capsys)[2].endswith("the DVC remote 'folder' needs a plugin of DVC; run `pip install 'dvc[gs]'`\n")


def test_an_s3_server_is_asked_for_what_was_pushed_to_it(pushed, tmp_path, monkeypatch, capsys):
    for name, value in {**ENVIRONMENT, **S3_KEYS}.items():
        monkeypatch.setenv(name, value)
    with s3_server(tmp_path / "s3") as url:
        for place in ("anna", "ben"):
            git("clone", "-q", str(pushed), str(tmp_path / place))
            config = f"[core]\n    remote = s3\n['remote \"s3\"']\n    url = s3://labels/dvc\n    endpointurl = {url}\n"
            (tmp_path / place / ".dvc" / "config").write_text(config)
        monkeypatch.chdir(tmp_path / "ben")
        code, out, _ = said(capsys)
        assert (code, out) == (1, "missing: labels (the list of its files)\nmissing: one\nmissing: two\n")
        shutil.copytree(pushed / ".dvc" / "cache", tmp_path / "anna" / ".dvc" / "cache")
        monkeypatch.chdir(tmp_path / "anna")
        assert dvc(["push", "-q"]) == 0
        monkeypatch.chdir(tmp_path / "ben")
        assert said(capsys)[:2] == (0, "OK: the remote has all outputs that `dvc push` sends and HEAD names: 3\n")
        assert dvc(["pull", "-q", "--allow-missing"]) == 0
        assert Path("labels/b").read_text() == "b\n"
        assert not Path("student").exists()
        secret = S3_KEYS["AWS_SECRET_ACCESS_KEY"].encode()
        assert not any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_outside_of_a_repository_it_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = said(capsys)
    assert code == 1
    assert err == "labelrisk check-remote: this folder is in no DVC repository; run from a study's folder\n"


def lock_said(capsys):
    capsys.readouterr()
    code = main(["check-lock"])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_lock_that_is_current_and_one_that_is_stale_are_told_apart_without_data(clone, capsys):
    assert lock_said(capsys) == (0, "OK: dvc.lock is that of params.yaml, dvc.yaml, the code and the files\n", "")
    pipeline = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(pipeline.replace("echo a >", "echo c >"))
    code, out, err = lock_said(capsys)
    assert (code, out) == (1, "")
    assert err == (
        "labelrisk check-lock: dvc.lock is stale: labels would run, since params.yaml, dvc.yaml, the code or a file "
        "has changed; run `labelrisk repro` and commit what it writes\n"
    )
    Path("dvc.yaml").write_text("stages: [")
    code, _, err = lock_said(capsys)
    assert code == 1
    assert "DVC can't read the pipeline" in err


def test_a_stage_whose_missing_inputs_dvc_would_need_is_stale(clone, capsys):
    pipeline = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(pipeline.replace("cmd: echo ${item}", "cmd: echo  ${item}"))
    code, _, err = lock_said(capsys)
    assert code == 1
    assert "stale: train@one, train@two would run" in err


def test_without_a_lock_it_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = lock_said(capsys)
    assert code == 1
    assert "dvc.lock is not there" in err
