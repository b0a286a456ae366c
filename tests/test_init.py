"""`labelrisk init`: what it guesses from, what it writes and where, and what it refuses before it writes anything."""

import hashlib
import itertools
import json
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc.repo import Repo
from dvc_study import ENVIRONMENT
from loopback import completion, served
from study_files import texts

from labelrisk.cli import main
from labelrisk.codebook import read_codebook
from labelrisk.new_study import template
from labelrisk.params import load

STANCES = ("against", "for", "no stance")


def tweets(rows=60, **more):
    """Texts, gold in words, and what else exports hold."""
    return pd.DataFrame(
        {
            "id": [f"id-{row:05d}" for row in range(rows)],
            "url": [f"https://example.org/a-rather-long-address/status/{row:020d}" for row in range(rows)],
            "tweet": [f"Tweet number {row}, and what it says." for row in range(rows)],
            "outlet": ["north" if row % 4 else "south" for row in range(rows)],
            "stance": [STANCES[row % 3] for row in range(rows)],
        }
        | more
    )


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """No script in the page of `dvc plots show`, to bundle which takes a second: test_plots_page.py is about that."""
    monkeypatch.setattr("labelrisk.charts.plots_page.page_with_script", lambda template: template)


REMOTES = """\
[core]
    remote = ours
[cache]
    type = symlink
['remote "ours"']
    url = ../../labels
['remote "bucket"']
    url = s3://labels/of-all
    endpointurl = http://127.0.0.1:1
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A git repository without a commit, that DVC knows."""
    root = tmp_path_factory.mktemp("bare")
    git(root, "init", "-q", "-b", "main")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(REMOTES)
    return root


@pytest.fixture
def repository(bare, tmp_path, monkeypatch):
    """A copy of it, as the working folder."""
    root = tmp_path / "repository"
    shutil.copytree(bare, root)
    monkeypatch.chdir(root)
    return root


def git(root, *words):
    return subprocess.run(["git", *words], cwd=root, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def files_in(root):
    """All files, but for git's own."""
    return {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts
    }


def refused(capsys, *words):
    """The one sentence of an init that can't, and has written nothing."""
    capsys.readouterr()
    before = files_in(Path())
    assert main(["init", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert files_in(Path()) == before
    return said.err.removeprefix("labelrisk init: ").rstrip("\n")


def test_a_study_of_a_file_in_the_repository(repository, capsys):
    tweets().to_csv("tweets.csv", index=False)
    before = files_in(repository)
    assert main(["init", "studies/stance", "--data", "tweets.csv"]) == 0
    said = capsys.readouterr().out
    names = {"dvc.yaml", "params.yaml", "codebook.yaml", ".gitignore", ".gitattributes", ".dvcignore"}
    written = {f"studies/stance/{name}" for name in names | {"labelrisk.version"}}
    of_dvc = {f"plots/{path.name}" for path in (template.template().folder / ".dvc" / "plots").iterdir()}
    written |= {f"studies/stance/.dvc/{name}" for name in of_dvc | {"config", "config.local", ".gitignore"}}
    assert files_in(repository) - before == written | {".labelrisk/.gitignore", ".labelrisk/page.html"}
    assert "Texts: the column 'tweet' (by its name; 34 characters on average, 100 % of them" in said
    assert "Gold: the column 'stance' (by its name; 3 different values in 60 of 60 rows)." in said
    assert "60 rows, no text twice; 0 without a gold label." in said
    assert "Splits, drawn by classes (prepare): train 36, validation 9, test 15." in said
    assert said.endswith("\n  cd studies/stance && labelrisk check\n  labelrisk repro\n  labelrisk table\n")
    assert max(map(len, said.splitlines())) <= 80
    settings = load(Path("studies/stance/params.yaml"))
    assert settings.corpus.model_dump() == {
        "kind": "files",
        "path": "../../tweets.csv",
        "text": "tweet",
        "gold": "stance",
        "split": None,
        "only": {},
        "slices": (),
    }
    assert {name: one.kind for name, one in settings.annotators.items()} == {"gold": "gold", "embedded": "chat"}
    assert (settings.prepare.train_rows, settings.prepare.validation_rows, settings.prepare.test_rows) == (None,) * 3
    assert "  # slices: [outlet]\n" in Path("studies/stance/params.yaml").read_text()
    codebook = read_codebook(Path("studies/stance/codebook.yaml"))
    assert codebook.names == list(STANCES)
    pipeline = Path("studies/stance/dvc.yaml").read_text()
    assert yaml.safe_load(pipeline)["vars"] == [{"run": "python -m labelrisk"}, {"local": "../../.labelrisk"}]
    assert yaml.safe_load(pipeline)["stages"]["code"]["deps"] == ["labelrisk.version"]
    assert "sources here" not in pipeline
    ignored = git(repository, "check-ignore", "studies/stance/data/x", "studies/stance/models/x", ".labelrisk/x")
    assert ignored.count("\n") == 3
    assert git(repository, "config", "merge.ours.driver") == "true\n"


def test_the_study_can_be_checked_as_it_is_and_says_what_to_fill_in(repository, monkeypatch, capsys):
    tweets().to_csv("tweets.csv", index=False)
    assert main(["init", "stance", "--data", "tweets.csv"]) == 0
    monkeypatch.chdir("stance")
    capsys.readouterr()
    assert main(["check"]) == 0
    note, size = capsys.readouterr().out.splitlines()
    assert note.startswith("Note: codebook.yaml says no more of 'against', 'for', 'no stance' than the name; write a ")
    assert size == "OK: 60 rows, 3 labels, 2 annotators, 5 sources, 25 students"
    codebook = Path("codebook.yaml")
    codebook.write_text(codebook.read_text().replace("against: against", "against: The author opposes it."))
    assert main(["check"]) == 0
    assert "Note: codebook.yaml says no more of 'for', 'no stance' than" in capsys.readouterr().out


def test_the_sources_are_those_of_the_built_in_study(repository, example):
    tweets().to_csv("tweets.csv", index=False)
    assert main(["init", "stance", "--data", "tweets.csv"]) == 0
    new, own = (yaml.safe_load(path.read_text()) for path in (Path("stance/params.yaml"), example / "params.yaml"))
    assert new["sources"] == own["sources"]
    assert new["annotators"]["embedded"] == own["annotators"]["embedded"] | {"reads": "codebook.yaml"}
    same = set(own) - {"codebook", "corpus", "annotators", "prepare"}
    assert {key: new[key] for key in same} == {key: own[key] for key in same}
    text = Path("stance/params.yaml").read_text()
    comments = [line for line in (example / "params.yaml").read_text().splitlines() if line.startswith("#")]
    assert [line for line in comments if "make repro" not in line and line not in text] == []


def test_the_annotators_in_comments_can_be_used(repository):
    labels = {"llm_small": [STANCES[row % 2] for row in range(60)]}
    tweets(**labels).to_csv("tweets.csv", index=False)
    assert main(["init", "stance", "--data", "tweets.csv"]) == 0
    path = Path("stance/params.yaml")
    lines = path.read_text().splitlines(keepends=True)
    for first in ("  # gpt:\n", "  # llm_small:\n"):
        at = lines.index(first)
        rest = itertools.takewhile(lambda line: line.startswith("  #   "), lines[at + 1 :])
        for number in range(at, at + 1 + len(list(rest))):
            lines[number] = lines[number].replace("# ", "", 1)
    path.write_text("".join(lines))
    annotators = load(path).annotators
    assert (annotators["gpt"].model, annotators["gpt"].max_cost) == ("gpt-4.1-mini", 5)
    assert annotators["llm_small"].model_dump(include={"reads", "text", "label"}) == {
        "reads": "../tweets.csv",
        "text": "tweet",
        "label": "llm_small",
    }


def test_texts_from_outside_are_copied_and_hidden_from_git(repository, capsys):
    outside = repository.parent / "my tweets.csv"
    tweets().to_csv(outside, index=False)
    assert main(["init", "stance", "--data", str(outside)]) == 0
    assert "`dvc add 'texts/my tweets.csv'` there" in " ".join(capsys.readouterr().out.split())
    assert load(Path("stance/params.yaml")).corpus.path == "texts/my tweets.csv"
    assert Path("stance/texts/my tweets.csv").read_bytes() == outside.read_bytes()
    hidden = ["git", "check-ignore", "stance/texts/my tweets.csv", "stance/texts/my tweets.csv.dvc"]
    assert subprocess.run(hidden, capture_output=True, text=True).stdout == '"stance/texts/my tweets.csv"\n'.replace(
        '"', ""
    )
    folder = Path("stance/texts").resolve()
    assert not Repo("stance").scm.is_ignored(f"{folder}/"), "DVC would push nothing of what is added in the folder"


def test_a_folder_of_splits(repository, capsys):
    Path("splits").mkdir()
    every = tweets(90)
    for name, rows in (("train", every[:60]), ("validation", every[60:72]), ("test", every[72:])):
        rows.to_json(f"splits/{name}.jsonl", orient="records", lines=True)
    assert main(["init", "stance", "--data", "splits", "--text", "tweet"]) == 0
    said = capsys.readouterr().out
    assert "Texts: the column 'tweet' (as --text says)." in said
    assert "train 60, validation 12, test 18" in said
    assert load(Path("stance/params.yaml")).corpus.path == "../splits"


@pytest.mark.parametrize("kind", ["tsv", "parquet", "jsonl"])
def test_other_formats_and_classes_that_are_numbers(kind, repository):
    frame = tweets(stance=[[-1, 0, 1, None][row % 4] for row in range(60)], split=["train", "test", "train"] * 20)
    frame["stance"] = frame["stance"].astype("Int64")
    frame.loc[frame["split"] == "test", "stance"] = 0
    frame.loc[1, "stance"] = frame.loc[4, "stance"] = 1
    path = Path(f"tweets.{kind}")
    writers = {"tsv": lambda: frame.to_csv(path, sep="\t", index=False), "parquet": lambda: frame.to_parquet(path)}
    writers["jsonl"] = lambda: frame.to_json(path, orient="records", lines=True)
    writers[kind]()
    assert main(["init", "stance", "--data", str(path)]) == 0
    assert read_codebook(Path("stance/codebook.yaml")).labels == {"-1": "-1", "0": "0", "1": "1"}
    settings = load(Path("stance/params.yaml"))
    assert settings.corpus.split == "split"
    assert list(settings.sources) == ["gold", "embedded", "gold_noise_confusion"]  # train rows lack gold


def test_large_data_begin_with_the_caps_of_the_built_in_study(repository, capsys):
    tweets(5000).to_csv("tweets.csv", index=False)
    assert main(["init", "stance", "--data", "tweets.csv"]) == 0
    assert "fewer are used (train 400, validation 200, test 1,000)" in " ".join(capsys.readouterr().out.split())
    prepare = load(Path("stance/params.yaml")).prepare
    assert (prepare.train_rows, prepare.validation_rows, prepare.test_rows) == (400, 200, 1000)


@pytest.mark.parametrize(
    ("columns", "text", "gold", "says"),
    [
        ({"article": ["A much longer text " * 9 + str(n) for n in range(60)]}, "article", "stance", "by its name"),
        ({"reply": [f"Reply {n}: no, it does not, I think!" for n in range(60)]}, "tweet", "stance", "by its name"),
        ({"gold": ["yes", "no"] * 30}, "tweet", "gold", "by its name; 2 different"),
        ({"gpt_label": ["for", "against"] * 30}, "tweet", "stance", "'gpt_label' holds labels of a model"),
        ({"label": [0.25, 0.5] * 30}, "tweet", "stance", "by its name; 3 different"),
        ({"topic": ["a", "b"] * 30}, "tweet", "stance", "`--gold topic`"),
        ({"split": ["train", "dev", "test"] * 20}, "tweet", "stance", "since it holds 'dev', which is none of train"),
        ({"tags": [["a"], ["b"]] * 30}, "tweet", "stance", "by its name"),
    ],
)
def test_what_is_guessed(columns, text, gold, says, repository, capsys):
    path = Path("tweets.jsonl")
    tweets(**columns).to_json(path, orient="records", lines=True)
    assert main(["init", "stance", "--data", str(path)]) == 0
    corpus = load(Path("stance/params.yaml")).corpus
    assert (corpus.text, corpus.gold, corpus.split) == (text, gold, None)
    assert says in " ".join(capsys.readouterr().out.split())


def test_columns_without_telling_names(repository, capsys):
    frame = pd.DataFrame(
        {
            "a": [f"short {n}" for n in range(40)],
            "b": [f"This is the longest of them, number {n}." for n in range(40)],
            "c": [f"And this one is nearly as long, {n}." for n in range(40)],
            "d": ["x", "y"] * 20,
        }
    )
    frame.to_csv("t.csv", index=False)
    assert main(["init", "s", "--data", "t.csv"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Texts: the column 'b' (the longest of 3 columns of texts; 39 characters" in said
    assert "run again with `--text c`." in said
    assert "Gold: the column 'd' (the only column with 2 to 50 values; 2 different values in 40 of 40 rows)." in said


def test_a_label_source_for_more_classes_than_the_embedded_annotator_tells(repository, capsys):
    tweets(300, stance=[f"class {row % 30}" for row in range(300)]).to_csv("t.csv", index=False)
    assert main(["init", "s", "--data", "t.csv"]) == 0
    assert "the built-in annotator tells 26 classes at most" in " ".join(capsys.readouterr().out.split())
    settings = load(Path("s/params.yaml"))
    assert read_codebook(Path("s/codebook.yaml")).names == [f"class {number}" for number in range(30)]
    assert list(settings.annotators) == ["gold"]
    assert list(settings.sources) == ["gold", "gold_noise"]


def test_what_a_run_would_stop_at_is_said(repository, capsys):
    frame = tweets()
    frame.loc[5, "tweet"] = frame.loc[3, "tweet"]
    frame.loc[7, "tweet"] = frame.loc[4, "tweet"]
    frame.to_csv("t.csv", index=False)
    assert main(["init", "s", "--data", "t.csv"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "60 rows, 2 of them copies of another one" in said
    assert "Note: a run would stop here: t.csv, line 5 and t.csv, line 7: the same text has the gold labels" in said
    assert "Next: mend what the note says" in said


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        ("", (), "t.csv can't be read as csv (the file is empty); correct the file"),
        ("text,label\n", (), "t.csv has no rows; put texts in it or correct --data"),
        ("text,label\na b,x\nc d,y\n" * 1, ("--text", "txt"), "has no column 'txt', which --text names; did you mean"),
        ("text,label\na b,x\nc d,y\n", ("--gold", "labels"), "which --gold names; did you mean 'label'?"),
        ("text,label\na b,x\nc d,y\n", ("--text", "label", "--gold", "label"), "--text and --gold both name 'label'"),
        ("text,text,label\na b,c,x\n", ("--text", "text"), "t.csv has 2 columns 'text', and --text names one"),
        ("text;label\na b;x\nc d;y\n", (), "its fields seem to be separated by ';': save it as CSV with commas"),
        ("text\na b\nc d\n", (), "t.csv has no column 'gold', only one: use one of: text"),
        ("a,b\n1,2\n3,4\n", (), "has no column that looks like texts (strings of which most differ)"),
        ("text,b\n" + "".join(f"t {n},{n}\n" for n in range(9)), (), "no column of 2 to 50 different values that"),
        ("text,label\n" + "".join(f"t {n},x\n" for n in range(9)), (), "'label' holds one class only, 'x'; two or"),
        ("text,label\n" + "".join(f"t {n},\n" for n in range(9)), (), "'label' is empty in all 9 rows, so that"),
        ("text,label\n" + "".join(f"t {n},c{n}\n" for n in range(60)), (), "holds 60 different values, such as 'c0'"),
        ("text,label\n" + "a b,X\nc d,x\n" * 4, ("--text", "text"), "the labels 'X' and 'x' differ in nothing that"),
        ("text,label\n" + "a b,<b>\nc d,x\n" * 4, ("--text", "text"), "the label '<b>' holds the character '<'"),
        ("text,label\nt\0t 1,x\nt 2,y\nt 3,x\nt 4,y\n", (), "t.csv, line 2: the text holds a NUL character (1 such"),
        ("text,label\nt 1,x\0\nt 2,y\nt 3,x\0\nt 4,y\n", (), "t.csv, line 2: the gold holds a NUL character (2 such"),
    ],
)
def test_texts_that_are_no_study(content, words, says, repository, capsys):
    Path("t.csv").write_text(content)
    assert says in refused(capsys, "s", "--data", "t.csv", *words)
    assert not Path("s").exists()


def test_places_where_no_study_can_be(repository, capsys, monkeypatch):
    tweets().to_csv("tweets.csv", index=False)
    Path("file").write_text("")
    assert "file is a file, not a folder; name a folder" in refused(capsys, "file", "--data", "tweets.csv")
    Path("s").mkdir()
    Path("s/.gitattributes").write_text("mine")
    assert "s/.gitattributes is there already, and nothing is overwritten" in refused(
        capsys, "s", "--data", "tweets.csv"
    )
    assert Path("s/.gitattributes").read_text() == "mine"
    Path(".gitignore").write_text("/out/\n")
    assert "out/x is ignored by git" in refused(capsys, "out/x", "--data", "tweets.csv")
    Path(".gitignore").unlink()
    Path("data").mkdir()
    shutil.copy("tweets.csv", "data")
    shutil.rmtree(".dvc")
    assert "in a folder of the study that holds outputs" in refused(capsys, ".", "--data", "data/tweets.csv")
    assert "nowhere.csv is not there; name your texts with --data" in refused(capsys, "x", "--data", "nowhere.csv")
    assert "x.xlsx is a spreadsheet" in (Path("x.xlsx").write_bytes(b"PK") and refused(capsys, "x", "--data", "x.xlsx"))
    monkeypatch.chdir("..")
    said = refused(capsys, "x", "--data", "repository/tweets.csv")
    assert said.endswith("which a study needs (DVC, and labels that were paid for, go by it); run `git init` first")


def test_a_disk_that_is_full_leaves_nothing(repository, capsys, monkeypatch):
    tweets().to_csv("tweets.csv", index=False)
    before = Path.write_text

    def write_text(self, *words, **options):
        if "codebook" in self.name:
            raise OSError(28, "No space left on device", str(self))
        return before(self, *words, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    assert main(["init", "studies/stance", "--data", "tweets.csv"]) == 1
    assert "the disk or a quota is full" in capsys.readouterr().err
    assert not Path("studies").exists()


def test_a_study_is_a_repository_of_dvc_with_the_cache_and_the_remotes_of_its_siblings(repository):
    """DVC itself reads the settings; those of the repository stay."""
    from dvc.repo import Repo

    tweets().to_csv("tweets.csv", index=False)
    assert main(["init", "studies/a", "--data", "tweets.csv"]) == 0
    assert Path(".dvc/config").read_text() == REMOTES
    repo = Repo("studies/a")
    assert Path(repo.root_dir) == repository / "studies" / "a"
    assert Path(repo.cache.local.path) == repository / ".dvc" / "cache" / "files" / "md5"
    assert repo.config["cache"]["type"] == ["reflink", "hardlink", "copy"]
    assert "html_template = plots/page.html" in Path("studies/a/.dvc/config").read_text()
    assert repo.config["plots"]["html_template"] == "../../../.labelrisk/page.html"  # in this clone: drawn offline
    assert repo.config["core"]["remote"] == "ours"
    remotes = repo.config["remote"]
    assert Path(repo.root_dir, ".dvc", remotes["ours"]["url"]).resolve() == repository.parent / "labels"
    assert remotes["bucket"] == {"url": "s3://labels/of-all", "endpointurl": "http://127.0.0.1:1"} | {
        key: value for key, value in remotes["bucket"].items() if key not in ("url", "endpointurl")
    }


def test_without_dvc_at_the_top_studies_share_a_cache_all_the_same(repository, capsys):
    """Which holds texts, and which git does not see in a clone, where `dvc pull` comes before all else."""
    shutil.rmtree(".dvc")
    tweets().to_csv("tweets.csv", index=False)
    for name in ("a", "b"):
        assert main(["init", f"studies/{name}", "--data", "tweets.csv"]) == 0
        cache = Path(Repo(f"studies/{name}").cache.local.path)
        assert cache == repository / ".labelrisk" / "cache" / "files" / "md5"
        assert "Commit .labelrisk/.gitignore, too" in capsys.readouterr().out
    assert not Path(".dvc").exists()
    git(repository, "add", "--all")
    assert [name for name in git(repository, "ls-files").split() if ".labelrisk" in name] == [".labelrisk/.gitignore"]
    git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "studies")
    git(repository.parent, "clone", "-q", "repository", "clone")
    clone = repository.parent / "clone"
    (clone / ".labelrisk" / "cache").mkdir()
    (clone / ".labelrisk" / "cache" / "text").write_text("a text")
    assert git(clone, "status", "--porcelain") == ""
    tweets().to_csv(clone / "more.csv", index=False)
    capsys.readouterr()
    with chdir(clone):
        assert main(["init", "c", "--data", "more.csv"]) == 0
    assert "Commit .labelrisk" not in capsys.readouterr().out


@pytest.fixture
def checkout(project, repository, monkeypatch):
    """A checkout of the project, whose code and template are taken."""
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".gitattributes", ".dvcignore"):
        shutil.copy(project / name, repository)
    shutil.copytree(project / ".dvc" / "plots", repository / ".dvc" / "plots")
    shutil.copy(project / ".dvc" / "config", repository / ".dvc" / "config")
    monkeypatch.setattr(template, "PACKAGE", repository / "src" / "labelrisk")
    (repository / "src" / "labelrisk").mkdir(parents=True)
    (repository / "src" / "labelrisk" / "one.py").write_text("1")
    tweets().to_csv("tweets.csv", index=False)
    return repository


def test_a_study_in_a_subfolder_of_the_project_runs_its_sources(checkout, capsys):
    assert main(["init", "studies/deep/stance", "--data", "tweets.csv"]) == 0
    pipeline = yaml.safe_load(Path("studies/deep/stance/dvc.yaml").read_text())
    run, local = "PYTHONPATH=../../../src python -m labelrisk", "../../../.labelrisk"
    assert pipeline["vars"] == [{"run": run}, {"local": local}]
    version = Path("studies/deep/stance/labelrisk.version").read_text()
    Path("src/labelrisk/one.py").write_text("2")
    assert main(["init", "studies/other", "--data", "tweets.csv"]) == 0
    assert Path("studies/other/labelrisk.version").read_text() != version  # other code
    own = yaml.safe_load(Path("dvc.yaml").read_text())
    assert {**pipeline["stages"], "code": 0} == {**own["stages"], "code": 0}
    assert "dvc.yaml is there already (and 5 more)" in refused(capsys, ".", "--data", "tweets.csv")


def test_a_checkout_with_a_remote_and_a_cache_elsewhere(checkout):
    """The settings of the checkout are the template too: each key stands once, and paths are the study's."""
    settings = (project := Path(".dvc/config")).read_text()
    settings = settings.replace("[core]\n", "[core]\n    remote = store\n").replace(
        "[cache]\n", "[cache]\n    dir = ../../cache\n"
    )
    project.write_text(f"{settings}['remote \"store\"']\n    url = ../../store\n")
    assert main(["init", "studies/stance", "--data", "tweets.csv"]) == 0
    repo = Repo("studies/stance")
    assert Path(repo.cache.local.path) == checkout.parent / "cache" / "files" / "md5"
    assert repo.config["core"] | {"remote": "store", "analytics": False} == repo.config["core"]
    assert Path(repo.root_dir, ".dvc", repo.config["remote"]["store"]["url"]).resolve() == checkout.parent / "store"


def test_a_project_whose_params_were_edited_still_makes_studies(checkout, capsys):
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["annotators"] = {"gpt": {"kind": "chat", "reads": "c.yaml", "model": "m", "base_url": "http://localhost:1"}}
    content["sources"] = {"mine": {"annotator": "gpt"}}
    content["evaluate"]["reference"] = "mine"
    content["ensemble"] = {"across": ["mine"], "chosen": "mine"}
    content["curve"] |= {"sizes": [50, 100], "sources": ["mine"]}
    content["train"]["steps"] = 77
    Path("params.yaml").write_text(yaml.safe_dump(content))
    assert main(["init", "s", "--data", "tweets.csv"]) == 0
    settings = load(Path("s/params.yaml"))
    assert set(settings.annotators) == {"gold", "embedded"}
    assert (settings.train.steps, settings.evaluate.reference, settings.curve.sizes) == (77, "gold", ())
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text().replace("PYTHONPATH=src", "PYTHONPATH=source"))
    assert "has '- run: PYTHONPATH=src python -m labelrisk' 0 times" in refused(capsys, "t", "--data", "tweets.csv")


def test_sibling_studies_pay_once_for_the_same_question(repository, monkeypatch):
    frame = texts().iloc[::2]
    frame.to_csv("texts.csv", index=False)

    def reply(text, before):
        return 200, completion("A", {"A": 0.8, "B": 0.2})

    with served(reply) as server:
        for name in ("one", "two"):
            monkeypatch.chdir(repository)
            assert main(["init", f"studies/{name}", "--data", "texts.csv"]) == 0
            monkeypatch.chdir(f"studies/{name}")
            params = Path("params.yaml")
            params.write_text(params.read_text().replace("base_url: embedded", f"base_url: {server.url}"))
            assert main(["prepare", "--out", "data/prepared", "--metrics", "metrics/prepare.json"]) == 0
            local = yaml.safe_load(Path("dvc.yaml").read_text())["vars"][1]["local"]
            outs = ("--out", "data/labels/l.parquet", "--ballots", "data/ballots/b.parquet", "--metrics", "m.json")
            where = ("--prepared", "data/prepared", "--cache", f"{local}/calls.sqlite")
            assert main(["annotate", "--annotator", "embedded", *where, *outs]) == 0
        assert server.paid == len(frame)
        assert json.loads(Path("m.json").read_text())["rows"] == len(frame)
    assert (repository / ".labelrisk" / "calls.sqlite").is_file()
    unseen = git(repository, "status", "--porcelain", "-uall")
    assert [line for line in unseen.splitlines() if ".labelrisk" in line] == ["?? .labelrisk/.gitignore"]


def test_a_temporary_experiment_in_a_subfolder_uses_the_cache_of_the_project(tmp_path, monkeypatch):
    from labelrisk.cache.location import shared_between_experiments, shared_project

    copy = tmp_path / ".dvc" / "tmp" / "exps" / "standalone" / "tmpx"
    inside = copy / "studies" / "a"
    inside.mkdir(parents=True)
    (copy / ".dvc").mkdir()
    monkeypatch.chdir(inside)
    cache = Path("../../.labelrisk/calls.sqlite")  # of a study without .dvc of its own
    assert shared_between_experiments(cache) == tmp_path / ".labelrisk" / "calls.sqlite"
    assert shared_between_experiments(Path("own.sqlite")) == tmp_path / "studies" / "a" / "own.sqlite"
    assert shared_between_experiments(Path("/elsewhere/calls.sqlite")) == Path("/elsewhere/calls.sqlite")
    assert shared_project(inside) == tmp_path
    monkeypatch.chdir(tmp_path)
    assert shared_between_experiments(cache) == cache
    assert shared_project(tmp_path) == tmp_path


def test_a_stage_of_another_version_says_so_and_repro_notes_it(repository, monkeypatch, capsys):
    from labelrisk.commands import _out_of_date, _version_file

    tweets().to_csv("tweets.csv", index=False)
    assert main(["init", "s", "--data", "tweets.csv"]) == 0
    monkeypatch.chdir("s")
    stage = ["prepare", "--out", "p", "--metrics", "m.json"]
    assert main(stage) == 0
    capsys.readouterr()
    installed = Path("labelrisk.version").read_text()
    noted = {"path": "labelrisk.version", "md5": hashlib.md5(installed.encode()).hexdigest()}
    lock = {"code": {"deps": [noted]}, "train@a-0": {"deps": [{"path": "data/code/train", "md5": "of other code"}]}}
    assert _out_of_date._other_code(lock) == set()
    Path("labelrisk.version").write_text("0.0.1\n")
    lock["code"]["deps"][0]["md5"] = hashlib.md5(b"0.0.1\n").hexdigest()
    assert _out_of_date._other_code(lock) == {"train"}  # also before `labelrisk repro` has noted the version
    assert main(stage) == 1
    assert (
        f"labelrisk.version says 0.0.1, but labelrisk {installed.strip()} is installed; run" in capsys.readouterr().err
    )
    assert _version_file.note_version().startswith(f"labelrisk.version: 0.0.1 -> {installed.strip()}; stages")
    assert Path("labelrisk.version").read_text() == installed
    assert _version_file.note_version() is None
    assert main(stage) == 0


def test_a_temporary_experiment_of_a_study_with_its_own_dvc_uses_the_cache_of_all_studies(tmp_path, monkeypatch):
    from labelrisk.cache.location import shared_between_experiments, shared_project

    study = tmp_path / "studies" / "a"
    inside = study / ".dvc" / "tmp" / "exps" / "standalone" / "tmpx" / "studies" / "a"
    (inside / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(inside)
    cache = Path("../../.labelrisk/calls.sqlite")
    assert shared_between_experiments(cache) == tmp_path / ".labelrisk" / "calls.sqlite"
    assert shared_between_experiments(Path("own.sqlite")) == study / "own.sqlite"
    assert shared_project(inside) == study
