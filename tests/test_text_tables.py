"""Tables and Markdown of names and reasons that others wrote."""

import pytest
import yaml
from revision_study import commit, new_repository, without_environment

from labelrisk.cli import main
from labelrisk.comparison.findings_table import findings_markdown, findings_text
from labelrisk.text_tables import code_of, cut, markdown_of, plain_markdown_of, text_table

HOSTILE = "a\x1b[2Jb\u202ec\nd\te"


def test_a_table_stays_a_table():
    names = ["plain", HOSTILE, "天気の話", "e\u0301te\u0301", "👩\u200d🔬 lab", "x" * 60]
    text = text_table(["name", "number"], [[name, f"1\n{HOSTILE}"] for name in names], 60)
    lines = text.splitlines()
    assert len(lines) == 2 + len(names)
    assert len({len(line) for line in lines}) == 1
    assert text.isascii()
    assert all(line.isprintable() for line in lines)
    assert cut("a" * 20, 10) == "aaaa..aaaa"


def test_markdown_shows_what_it_would_obey():
    assert markdown_of("</td><img src=x>") == "&lt;/td>&lt;img src=x>"
    assert markdown_of("![pixel](http://evil)") == "![pixel]\\(http:&#8203;//evil)"
    assert markdown_of("a|b") == "a\\|b"
    assert markdown_of("@everyone, see #12") == "@&#8203;everyone, see #&#8203;12"
    assert markdown_of("&#64;everyone") == "&amp;&#8203;#&#8203;64;everyone"
    assert markdown_of(HOSTILE) == r"a\x1b[2Jb\u202ec\nd\te"
    good = "loses 4.0 to 8.2 points [-8.2, -4.0] of `macro-F1` (95 %), more than the 2 accepted: a_b *c* - d & e > f"
    assert markdown_of(good) == good
    assert plain_markdown_of(good) == good.replace("`", "&#96;").replace("*", "&#42;")
    assert markdown_of("/close") == "/&#8203;close"
    assert [plain_markdown_of(text) for text in ("- a", "12) b")] == ["-&#8203; a", "12)&#8203; b"]
    assert all(plain_markdown_of(text) == text for text in ("-1.0 [-2, 0]", "1.5 %", "a/b", "-"))
    assert code_of("see #12") == "`see #12`"
    assert code_of("`see #12") == "&#96;see #&#8203;12"


def test_findings_of_hostile_names_keep_their_lines():
    claim = {
        "finding": "holds",
        "estimate": None,
        "low": None,
        "high": None,
        "because": f"<b>|{HOSTILE}",
        "sources": [],
    }
    recipe = {"preset": None, "budget": f"|{HOSTILE}", "batch_size": 1, "learning_rate": 1, "seeds": 1}
    content = {"recipe": recipe | {"steps": {}, "converged": {}}, "claims": {HOSTILE: {"plain": claim}}}
    markdown, text = findings_markdown({"a": content}), findings_text({"a": content})
    for shown in (markdown, text):
        assert all(line.isprintable() for line in shown.splitlines())
    assert "<b>" not in markdown
    assert len([line for line in markdown.splitlines() if line.startswith("|")]) == 7
    assert text.isascii()


def test_compare_prints_what_stands_in_revisions_and_no_escapes(tmp_path, monkeypatch, capfd):
    new_repository(tmp_path)
    for value in ("1", "\u5929\u6c17 \x1b[2J"):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"key \x1b[2J\u202e": value, "seeds": [0]}))
        commit(tmp_path, "params")
    without_environment(monkeypatch, tmp_path)
    assert main(["compare", "HEAD~1", "HEAD"]) == 0
    shown = capfd.readouterr()
    assert not {"\x1b", "\u202e"} & set(shown.out + shown.err)
    assert "key \\x1b[2J" in shown.out


@pytest.mark.parametrize(
    "content", ['{"recipe": 1, "claims": {"a": 2}}', '{"recipe": {}, "claims": {"a": {"b": {}}}}', "["]
)
def test_findings_of_another_form_are_one_sentence(content, tmp_path, capsys):
    (tmp_path / "odd.json").write_text(content)
    assert main(["findings", str(tmp_path / "odd.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_metrics_of_another_version_are_one_sentence(tmp_path, capsys):
    for name in ("verdict", "sources", "annotators", "ensembles", "baselines"):
        (tmp_path / f"{name}.json").write_text('{"sources": {"a": {}}}')
    assert main(["table", "--metrics", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "does not hold what this version shows" in said
    assert said.count("\n") == 1
