"""`labelrisk review`: one comment on what a branch does, from a real git repository; texts in it do nothing."""

import copy
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_markdown import LINKED, Page
from revision_study import (
    CODEBOOK,
    GOLD,
    IDS,
    PARAMS,
    SCORES,
    VERDICTS,
    commit,
    git,
    new_repository,
    students,
    whole_clone,
    without_environment,
    write_outputs,
    write_texts,
)

from labelrisk.cli import main
from labelrisk.printing import printable
from labelrisk.revisions.document import Pictures, Quoted, Section
from labelrisk.revisions.document_markdown import markdown_document
from labelrisk.text_tables import code_of, markdown_of, plain_markdown_of

MOST = 60_000
HOSTILE = [
    "@everyone see #12, GH-12, octo/repo#7 and abcdef1234567890abcdef1234567890abcdef12",
    "<img src=x onerror=alert(1)></details><script>alert(1)</script><!-- labelrisk review -->",
    "![p](http://evil.example/p.png) [link](https://evil.example) www.evil.example evil@evil.example",
    "| a | b |\n| --- | --- |\n```\n~~~\n# head\n> quote\n- [ ] box",
    "`code` ``code`` `@one` \\`@two\\` \\| \\<b> &lt;b&gt; &#64;you $x$ ~~gone~~ **bold** _it_ :smile: !12 ~3 $4 &5",
    "bidi \u202e \u2066 nul \x00 esc \x1b[31m zero \u200b joiner \u200d",
    "`",
    "|",
    "\\",
    "`@you",
    "/close `it`",
    "/approve",
    "1. `x`",
    "- [ ] `x`",
]


def comment(capfd, *words, code=0):
    """What review prints; and on standard error."""
    assert main(["review", *words]) == code
    shown = capfd.readouterr()
    return shown.out, shown.err


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Branches: none (before the study), edit, params, sources, and main, which went on after they left."""
    root = tmp_path_factory.mktemp("repository")
    git(new_and(root), "branch", "none")
    write_texts(root)
    write_outputs(root)
    (root / "plots").mkdir()
    (root / "plots" / "f1_by_source.png").write_text("one")
    commit(root, "study")
    for branch in ("edit", "params", "sources"):
        git(root, "checkout", "-qB", branch, "main")
        {"edit": edit, "params": edit_params, "sources": edit_sources}[branch](root)
        commit(root, branch)
    git(root, "checkout", "-q", "main")
    write_texts(root, verdicts=VERDICTS | {"gold": ("not trained enough", None)})
    commit(root, "main went on")
    shutil.rmtree(root / "data")  # which is of the branch that wrote it last
    return root


def new_and(root):
    new_repository(root)
    return root


def edit(root):
    """One definition; two rows flip, and llm becomes risky."""
    codebook = copy.deepcopy(CODEBOOK)
    codebook["labels"]["north"] = "Up there."
    verdicts = VERDICTS | {"llm": ("risky", (-0.3, -0.4, -0.2))}
    write_texts(root, PARAMS, codebook, verdicts, SCORES | {"llm": (0.5, 0.45, 0.55)})
    runs = {
        (name, seed): students(name, seed, 0.4 if name == "llm" else 0.1)
        for name in ("gold", "llm")
        for seed in (0, 1, 2)
    }
    write_outputs(root, {"test00": "south", "train00": "west"}, runs)
    (root / "plots" / "f1_by_source.png").write_text("two")
    (root / "plots" / "odd name).png").write_text("new")


def edit_params(root):
    write_texts(root, PARAMS | {"seeds": [0, 1]})


def edit_sources(root):
    params = copy.deepcopy(PARAMS)
    params["sources"]["llm_2"] = params["sources"].pop("llm")
    verdicts = {"gold": VERDICTS["gold"], "llm_2": ("risky", (-0.3, -0.4, -0.2))}
    write_texts(root, params, verdicts=verdicts, scores={"gold": SCORES["gold"], "llm_2": (0.5, 0.4, 0.6)})


@pytest.fixture
def on(repository, monkeypatch):
    """Makes a branch the workspace, without DVC's files."""
    without_environment(monkeypatch, repository)

    def checkout(branch):
        git(repository, "checkout", "-qf", branch)
        return repository

    return checkout


def test_a_prompt_edit(on, capfd):
    on("edit")
    text, _ = comment(capfd, "main")
    assert text.startswith("<!-- labelrisk review -->\n\n## labelrisk: verdicts 1 worse\n\nFrom `where it left main (")
    order = ["worse: `llm` was `safe`, -1.0 [-1.8, -0.2], is `risky`, -30.0 [-40.0, -20.0] (`of llm`)"]
    order += ["| `llm` | ", "Paired by row on 60 test rows", "| `llm` | -1.0 [-1.8, -0.2] | -30.0 [-40.0, -20.0] |"]
    order += ["- `north` was: `Up there, where it is cold.`\n- `north` is: `Up there.`", "Labels: 2 rows flipped"]
    order += [
        "| `north -> south` | 1 | 0 | 1 |",
        "- `plots/f1_by_source.png`\n- `plots/odd name).png` (new)",
        "### Costs",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "gold" not in text[: text.index("The same: ")]  # what main did since is none of the branch's changes
    Page(text).assert_harmless()
    assert comment(capfd, "main")[0] == text


def test_where_texts_must_not_leave_the_comment_has_ids(tmp_path, monkeypatch, capfd):
    root = new_and(tmp_path)
    params = PARAMS | {"share": {"texts": False}}
    for branch, flips in (("main", {}), ("edit", {"test00": "south"})):
        git(root, "checkout", "-qB", branch)
        write_texts(root, params if branch == "main" else PARAMS)  # who asks for texts in a branch does not get them
        write_outputs(root, flips)
        commit(root, branch)
    without_environment(monkeypatch, root)
    text, _ = comment(capfd, "main")
    assert "- test: `north` -> `south`; gold `north`: `row test00`" in text
    assert "text of" not in text
    assert main(["diff", "main", "edit"]) == 0
    assert "gold north: text of test00" in capfd.readouterr().out  # on one's own screen


def test_pictures_are_shown_from_an_address(on, capfd):
    on("edit")
    page = Page(comment(capfd, "main", "--image-base", "https://github.com/o/r/blob/c0ffee0")[0])
    page.assert_harmless(pictures=2)
    top = "https://github.com/o/r/blob/c0ffee0/plots"
    shown = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert shown == [f"{top}/f1_by_source.png?raw=true", f"{top}/odd%20name%29.png?raw=true"]
    assert "is no address" in comment(capfd, "main", "--image-base", "x) [y](z", code=1)[1]


def test_names_of_pictures_end_no_link():
    names = [Quoted(f"plots/{name}.png") for name in ("a](x) ![b", "[c", "d]", "`e")]
    text = markdown_document("<!-- x -->", [Section("Pictures", [Pictures(names, ["https://x.org"] * 4, [False] * 4)])])
    page = Page(text)
    page.assert_harmless(pictures=2, links=2)
    assert [attributes["alt"] for tag, attributes in page.tags if tag == "img"] == names[:2]


def test_params_alone(on, capfd):
    on("params")
    text, _ = comment(capfd, "main")
    assert "## labelrisk: no verdict changed" in text
    assert "- `seeds`: `[0, 1, 2]` -> `[0, 1]`" in text
    assert "Codebook" not in text
    assert "The same labels: `llm`." in text


def test_sources_added_and_removed(on, capfd):
    on("sources")
    text, _ = comment(capfd, "main")
    assert "## labelrisk: verdicts 1 new, 1 removed" in text
    assert "- `llm_2` is new: `risky`, -30.0 [-40.0, -20.0]" in text
    assert "- `llm` left the study; it was `safe`." in text
    assert "- `sources.llm_2` added: `{annotator: llm}`" in text


def test_the_first_pull_request_has_nothing_to_compare_with(on, capfd):
    on("edit")
    text, _ = comment(capfd, "none")
    assert "There are no results before: these are the first." in text
    assert "`llm` is new: `risky`" in text
    Page(text).assert_harmless()


def test_what_is_not_committed_is_said(on, capfd):
    root = on("params")
    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("margin: 0.02", "margin: 0.03"))
    assert ", with changes that are not committed." in comment(capfd, "main")[0]
    text, _ = comment(capfd, "main", "--head", "params")
    assert "not committed" not in text
    assert "margin" not in text
    on("params")


@pytest.mark.parametrize(
    ("branch", "fail_on", "code"),
    [
        ("edit", "worse", 1),
        ("edit", "risky", 1),
        ("sources", "risky", 1),
        ("sources", "worse", 0),
        ("params", "risky", 0),
        ("edit", "never", 0),
    ],
)
def test_fail_on(on, capfd, branch, fail_on, code):
    on(branch)
    text, said = comment(capfd, "main", "--fail-on", fail_on, code=code)
    assert text.startswith("<!-- labelrisk review -->")
    assert said.count("\n") == code
    assert ("look at the review" in said) == bool(code)


def test_a_base_that_is_none(on, capfd):
    on("params")
    assert "git knows no revision 'mein'; did you mean 'main'?" in comment(capfd, "mein", code=1)[1]


def test_a_history_of_its_own(on, capfd):
    root = on("params")
    git(root, "branch", "-f", "alone", git(root, "commit-tree", "-m", "x", "main^{tree}"))
    assert "have no commit in common" in comment(capfd, "alone", code=1)[1]


def test_a_shallow_clone_lacks_where_the_branch_left(repository, tmp_path, monkeypatch, capfd):
    clone = whole_clone(repository, tmp_path / "clone", "--depth", "1", "--no-single-branch", "--branch", "edit")
    without_environment(monkeypatch, clone)
    for base in ("origin/main", "elsewhere"):
        said = comment(capfd, base, code=1)[1]
        assert "this clone is shallow; fetch the whole history (fetch-depth: 0" in said
        assert said.count("\n") == 1


def test_git_alone_is_enough(repository, tmp_path, monkeypatch, capfd):
    clone = whole_clone(repository, tmp_path / "clone", "--branch", "edit")
    (clone / ".dvc" / "config").unlink()
    git(clone, "rm", "-rq", "--cached", ".dvc")
    without_environment(monkeypatch, clone)
    text, _ = comment(capfd, "origin/main")
    assert "worse: `llm` was `safe`" in text
    assert "From the metrics files alone" in text
    assert "Flipped rows are not known: `llm`." in text
    Page(text).assert_harmless()


def test_a_study_in_a_folder(tmp_path, monkeypatch, capfd):
    root = new_and(tmp_path)
    study = root / "studies" / "babe"
    study.mkdir(parents=True)
    write_texts(study)
    write_outputs(study)
    commit(root, "study")
    git(root, "checkout", "-qb", "edit")
    (study / "plots").mkdir()
    edit(study)
    commit(root, "edit")
    without_environment(monkeypatch, study)
    text, _ = comment(capfd, "main", "--image-base", "https://github.com/o/r/blob/c0ffee0")
    assert text.startswith("<!-- labelrisk review studies/babe -->")
    assert "; study `studies/babe`." in text
    assert "Labels: 2 rows flipped" in text
    assert "Paired by row on 60 test rows" in text
    assert "](https://github.com/o/r/blob/c0ffee0/studies/babe/plots/f1_by_source.png?raw=true)" in text


def hostile_study(root, names, length):
    """All that others write is hostile: texts, classes, definitions, keys, models, sources, reasons."""
    # a codebook takes no "<" and nothing unseen in the name of a class
    classes = {
        f"{printable(text, kept='').replace('<', '')[:180]}{place}": text * length for place, text in enumerate(names)
    }
    codebook = {"task": names[0] * length, "labels": CODEBOOK["labels"] | classes, "edge_cases": [names[1] * length]}
    params = copy.deepcopy(PARAMS)
    params["annotators"]["llm"] |= {"model": names[0] * length, "extra_body": dict.fromkeys(names, names[1] * length)}
    params |= {name * length: names for name in names}
    params["sources"] |= {name: {"annotator": name} for name in names}
    verdicts = (
        VERDICTS
        | {name: (name, (-0.1, -0.2, 0.0)) for name in names}
        | {name * length: ("safe", None) for name in names}
    )
    write_texts(root, params, codebook, verdicts, SCORES | dict.fromkeys(names, (0.5, 0.4, 0.6)))
    metrics = json.loads((root / "metrics" / "verdict.json").read_text())
    for name, of in metrics["sources"].items():
        of["because"] = f"never predicts {name}"
    (root / "metrics" / "verdict.json").write_text(json.dumps(metrics))
    keys = IDS["test"]
    write_outputs(
        root,
        dict(zip(keys, names, strict=False)),
        texts={key: names[place % len(names)] * length for place, key in enumerate(keys)},
        gold=GOLD | dict(zip(keys[5:], names, strict=False)),
        classes=[*CODEBOOK["labels"], *names],
    )


@pytest.mark.parametrize("length", [1, 600])  # of texts up to 100,000 characters
def test_what_others_wrote_does_nothing(tmp_path, monkeypatch, capfd, length):
    root = new_and(tmp_path)
    write_texts(root)
    write_outputs(root)
    commit(root, "study")
    git(root, "checkout", "-qb", "@evil/#12")
    # YAML and JSON keep what git can: no halves of characters, and of NUL only in JSON
    hostile_study(root, [text.replace("\x00", "").replace("\x1b", "") for text in HOSTILE], length)
    monkeypatch.setattr("labelrisk.commands.review._lacking", lambda revision: "Not on the remote: @all <b>|`#12.")
    commit(root, "hostile")
    git(root, "branch", "plain", "main")
    without_environment(monkeypatch, root)
    text, _ = comment(capfd, "plain", "--examples", "20", "--head", "@evil/#12")
    assert len(text.encode()) < MOST
    page = Page(text)
    page.assert_harmless()
    assert not {"\u202e", "\u2066", "\x1b"} & set(text)
    if length == 1:
        assert all(part in text for part in ("Labels: ", "Prompts", "label added: ", "edge case added: "))
        assert any("@everyone see #12" in code for code in page.code)  # it is shown, as it is


def test_400_sources_are_summarised(tmp_path, monkeypatch, capfd):
    root = new_and(tmp_path)
    names = [f"source_{place:03d}_{'x' * 80}" for place in range(400)]
    params = PARAMS | {"sources": {name: {"annotator": "llm", "rows": 1} for name in names}}
    verdicts = dict.fromkeys(names, ("safe", (-0.01, -0.018, -0.002)))
    scores = dict.fromkeys(names, (0.7, 0.68, 0.72))
    write_texts(root, params, verdicts=verdicts, scores=scores)
    commit(root, "study")
    git(root, "checkout", "-qb", "edit")
    params = PARAMS | {"sources": {name: {"annotator": "llm", "rows": 2} for name in names}}
    changed = dict.fromkeys(names[300:399], ("can't tell", (-0.3, -0.4, -0.2))) | {names[399]: ("risky", None)}
    write_texts(root, params, verdicts=verdicts | changed, scores=dict.fromkeys(names, (0.6, 0.58, 0.62)))
    commit(root, "edit")
    without_environment(monkeypatch, root)
    text, _ = comment(capfd, "main")
    assert len(text.encode()) < MOST
    assert "## labelrisk: verdicts 100 worse" in text
    assert "changed\n\n- worse: `source_399_" in text  # the gravest is first, not in what is cut
    assert "worse: `source_300_" in text
    assert "The same: 300 safe." in text
    assert text.count("... and ") >= 3  # verdicts, students, params: the rest is counted
    Page(text).assert_harmless()


def test_what_the_remote_lacks_is_said(on, capfd, monkeypatch):
    on("edit")
    monkeypatch.setattr("labelrisk.commands.review._lacking", lambda revision: f"Not on the remote of {revision}: a.")
    assert "**Not on the remote of HEAD: a.**" in comment(capfd, "main")[0]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("put", ["{}", "- {}", "| a |\n| --- |\n| {} |", "`x` {} `y`", "- was {}, is"])
def test_each_escape_keeps_what_is_around_it(put, text):
    for escape in (plain_markdown_of, code_of):
        page = Page(f"<!-- x -->\n\n{put.format(escape(text))}\n\nafter")
        page.assert_harmless()
        assert page.plain[-2:] == ["after", "\n"] or "after" in page.plain


@given(st.text(max_size=60) | st.text("`|\\*_~$@#<>[]()!&:;. x1\n-", max_size=40))
def test_escaped_texts_are_shown_as_they_are(text):
    wanted = " ".join(printable(text, kept="").split())
    for escape in (plain_markdown_of, code_of):
        for put in ("| a |\n| --- |\n| {} |", "x {} x"):
            page = Page(f"<!-- x -->\n\n{put.format(escape(text))}")
            page.assert_harmless()
            shown = "".join("".join(text for text in page.all).split())
            assert "".join(wanted.split()) in shown.replace("\u200b", "") or not wanted


def test_our_own_sentences_may_have_code(capfd):
    assert markdown_of("run `make repro`") == "run `make repro`"
    assert not LINKED.search("".join(Page(f"<!-- x -->\n\n{markdown_of(HOSTILE[0])}").plain))
