"""Markdown as GitHub shows it: what became of it as HTML, and what GitHub would find to link in its text."""

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

OURS = {
    "h2",
    "h3",
    "p",
    "ul",
    "li",
    "code",
    "strong",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
}
# names of people and teams, issues, commits, addresses, e-mail, emoji, mathematics; of GitLab also !1, $1, ~label, &1
LINKED = re.compile(
    r"[@#]\w|\bGH-\d|https?://|ftp://|www\.\w|mailto:|xmpp:|[\w.]+@\w|:[\w+-]+:|\b[0-9a-f]{7,40}\b|\$[^\s\u200b]|[!&~]\d|\w/\w+#\d",
    re.IGNORECASE,
)
COMMAND = re.compile(r"^ */[a-z]+", re.MULTILINE)  # what GitLab does for who writes /close


class Page(HTMLParser):
    """What a comment became: its tags with their attributes, comments, and the texts in code and elsewhere."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.comments, self.plain, self.code, self.all = [], [], [], [], []
        self._open = []
        self.commands = COMMAND.findall(markdown)
        self.html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
        self.feed(self.html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert tag in self._open, f"</{tag}> closes nothing"
        while self._open.pop() != tag:
            pass

    def handle_comment(self, data):
        self.comments.append(data.strip())

    def handle_data(self, data):
        (self.code if "code" in self._open else self.plain).append(data)
        self.all.append(data)

    def assert_harmless(self, pictures=0, links=0):
        """Nothing but our own tags, and nothing in the text that would be linked."""
        names = [tag for tag, _ in self.tags]
        assert set(names) - OURS - {"img", "a"} == set()
        assert (names.count("img"), names.count("a")) == (pictures, links)
        assert all(not attributes for tag, attributes in self.tags if tag not in ("img", "a", "td", "th"))
        assert len(self.comments) == 1
        assert not self.commands
        assert names.count("details") == names.count("summary") == self.html.count("</details>")
        found = [LINKED.search(text) for text in self.plain]
        assert not [one[0] for one in found if one]
