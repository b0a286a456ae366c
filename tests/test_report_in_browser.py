"""The page in a real browser: charts, filters, links, keyboard, screen readers, and texts that try to be more."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from page_study import HOSTILE, hostile_page, hostile_study

from labelrisk.report.security import script_json, visible

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SERIOUS = ("serious", "critical")
SLOW_FRAME = 200  # milliseconds: what a reader sees as a halt
SETTLED = "document.querySelectorAll('.plot svg').length === document.querySelectorAll('[data-chart]').length"


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: the page is not tried in a browser")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    return hostile_page(hostile_study(tmp_path_factory.getbasetemp()))


class Tab:
    """The page in a tab, with what the browser complained of and asked for."""

    def __init__(self, browser, file, width=1280, scheme="light", link=""):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        self.page = context.new_page()
        self.faults, self.requests, self.address = [], [], file.as_uri()
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.address + link)

    @property
    def count(self):
        return int(self.page.locator("#count").text_content().partition(" of ")[0].replace(",", ""))

    def shown(self):
        return [text.strip() for text in self.page.locator("#items .text").all_text_contents()]

    def choose(self, key, value):
        self.page.select_option(f"[id='filter-{key}']", value)
        self.page.wait_for_timeout(20)

    def search(self, words):
        before = self.page.locator("#link").get_attribute("href")
        self.page.fill("#filter-q", words)
        self.wait_until(lambda: self.page.locator("#link").get_attribute("href") != before)

    def wait_until(self, is_so):
        """Ask again and again; Playwright's own way needs eval, which the page forbids."""
        for _ in range(600):
            if is_so():
                return
            self.page.wait_for_timeout(50)
        raise TimeoutError

    def settle(self):
        """Wait until all charts are drawn."""
        self.wait_until(lambda: self.page.evaluate(SETTLED))


@pytest.fixture
def opened(browser, page_file):
    """A function that opens the page; what the browser complained of or asked for fails the test at its end."""
    tabs = []

    def open_tab(file=page_file, **options):
        tabs.append(Tab(browser, file, **options))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        assert tab.faults == []
        assert {url.partition("#")[0] for url in tab.requests} == {tab.address}
        tab.page.context.close()


def test_all_charts_are_drawn_without_eval_or_request_and_follow_the_theme(opened):
    tab = opened()
    tab.settle()
    assert tab.page.locator(".plot svg").count() > 10
    assert tab.page.title().startswith("labelrisk: Say where it is.")
    ink = "getComputedStyle(document.querySelector('.plot svg text')).fill"
    before = tab.page.evaluate(ink)
    tab.page.click("#theme")
    tab.wait_until(lambda: tab.page.evaluate(ink) != before)
    assert tab.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert tab.page.locator("#theme").text_content() == "Light"


def test_texts_show_as_text(opened):
    tab = opened()
    assert "taken" not in tab.page.title()
    tab.choose("reason", "disagree")
    shown = tab.shown()
    found = [visible(text).strip() for text in HOSTILE[:-1]]
    assert [text for text in found if text not in shown] == []
    assert tab.page.locator("#items img, #items script, #items a, #items b").count() == 0
    assert tab.page.evaluate("document.title").startswith("labelrisk")


def test_a_long_text_is_shown_in_part_until_more_is_asked_for(opened):
    tab = opened()
    tab.search("long xxx")
    assert tab.count == 1
    assert len(tab.shown()[0]) < 500
    tab.page.click("#items button")
    assert tab.page.locator("#items .text").text_content().count("x") >= 9_990
    assert "the first 10,000 of 100,005 characters" in tab.shown()[0]
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_filters_by_reason_source_class_slice_and_words_and_a_link_that_keeps_them(opened):
    tab = opened()
    every = tab.count
    tab.choose("reason", "wrong")
    assert tab.count == 3
    tab.choose("who", "source:wavering")  # its annotator is llm
    assert tab.count == 3
    tab.choose("gold", "south")
    assert tab.count == 0
    tab.choose("gold", "north")
    tab.choose("said", "west")
    assert tab.count == 3
    tab.choose("slice.outlet", "daily")
    kept = tab.count
    assert 0 < kept < 3
    link = tab.page.locator("#link").get_attribute("href")
    assert re.fullmatch(r"#rows\?reason=wrong&who=source%3Awavering&gold=north&said=west&slice\.outlet=daily", link)
    assert tab.page.evaluate("location.hash") == link
    again = opened(link=link)
    assert again.count == kept
    assert again.shown() == tab.shown()
    again.page.click("#filters button")
    again.wait_until(lambda: again.count == every)
    assert opened(link="#rows?reason=nonsense&gold=%00&other=1").count == every


@pytest.mark.parametrize("link", ["#rows?reason=wrong", "#provenance"])
def test_what_a_link_leads_to_stays_in_view_while_charts_are_drawn_until_the_reader_moves(opened, link):
    tab = opened(link=link)
    top = f"document.getElementById('{link[1:].split('?')[0]}').getBoundingClientRect().top"
    tab.settle()
    tab.page.wait_for_timeout(100)
    assert 0 <= tab.page.evaluate(top) < 200
    tab.page.keyboard.press("Home")
    tab.wait_until(lambda: tab.page.evaluate("scrollY") == 0)
    tab.page.emulate_media(color_scheme="dark")  # draws all charts again
    tab.page.wait_for_timeout(500)
    assert tab.page.evaluate("scrollY") == 0


def test_a_search_for_markup_finds_it_as_text(opened):
    tab = opened()
    tab.search("<IMG src")
    assert tab.count == 1
    assert "%3CIMG" in tab.page.locator("#link").get_attribute("href")
    assert opened(link=tab.page.locator("#link").get_attribute("href")).count == 1


def test_definitions_open_on_focus_and_close_with_escape(opened):
    tab = opened()
    term = tab.page.locator(".verdict .term").first
    term.focus()
    popup = tab.page.locator("#definition")
    assert popup.is_visible()
    assert popup.text_content() == tab.page.locator(f"#{term.get_attribute('aria-describedby')}").text_content()
    tab.page.keyboard.press("Escape")
    assert not popup.is_visible()
    term.hover()
    assert popup.is_visible()


def test_the_keyboard_reaches_the_content_first_and_sees_where_it_is(opened):
    tab = opened()
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    assert tab.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_large_tables_are_built_when_they_are_opened(opened):
    tab = opened()
    details = tab.page.locator("details[data-table]").first
    assert details.locator("table").count() == 0
    details.locator("summary").click()
    details.locator("table").wait_for()
    assert details.locator("th[scope=col]").count() > 3


def test_no_fault_for_screen_readers_in_either_theme(opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text()
    tab = opened(width=390, scheme="dark")
    for kind in ("details[data-table]", "details.params", "figure details"):  # one of each is looked into, too
        tab.page.locator(kind).first.evaluate("(one) => { one.open = true; }")
    tab.page.evaluate(script)
    assert faults(tab, {}) == {}
    tab.page.click("#theme")
    assert faults(tab, {"runOnly": ["color-contrast"]}) == {}
    headings = tab.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map((one) => Number(one.tagName[1]))")
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))


def faults(tab, options):
    """The serious and critical ones that axe finds outside of drawings, which the page hides from screen readers."""
    run = "options => axe.run({ exclude: [['.plot svg']] }, options).then(({ violations }) => violations)"
    found = tab.page.evaluate(run, {"resultTypes": ["violations"], **options})
    return {one["id"]: [node["html"][:200] for node in one["nodes"]][:3] for one in found if one["impact"] in SERIOUS}


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(opened, width):
    tab = opened(width=width)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    tab.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width


def test_what_is_printed_is_all_there_without_filters_in_light(opened):
    tab = opened(scheme="dark")
    tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.page.emulate_media(media="print")
    assert not tab.page.locator("#filters").is_visible()
    assert tab.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert tab.page.locator("#items .row").count() >= 60


def with_rows(file, number, out):
    """The page with so many rows in place of its own, each like one of them."""
    content = file.read_text(encoding="utf-8")
    found = json.loads(re.search(r'id="data-rows">(.*?)</script>', content)[1])
    test = found["test_rows"]

    def repeated(values):
        return [values[place % test] for place in range(number)]

    found |= {key: repeated(found[key]) for key in ("gold", "texts", "lengths")}
    found |= {"ids": [f"row {place}" for place in range(number)], "test_rows": number}
    for column in found["slices"].values():
        column["of"] = repeated(column["of"])
    for of in (*found["annotators"].values(), *found["sources"].values()):
        of |= {key: repeated(of[key]) for key in ("labels", "sure", "agree") if key in of}
    found["marks"] = [{"reason": 2, "who": "wavering", "by": "entropy", "rows": list(range(number))}]
    start = content.index('id="data-rows">') + len('id="data-rows">')
    end = content.index("</script>", start)
    out.write_text(content[:start] + script_json(found) + content[end:], encoding="utf-8")
    return out


def test_ten_thousand_rows_scroll_and_filter(opened, page_file, tmp_path):
    tab = opened(file=with_rows(page_file, 10_000, tmp_path / "large.html"))
    assert tab.count == 10_000
    tab.page.evaluate("document.getElementById('list').scrollIntoView({ behavior: 'instant' })")
    tab.settle()
    frames = tab.page.evaluate(
        """async () => {
          const list = document.getElementById("list"), times = [];
          let last = performance.now();
          for (let frame = 0; frame < 60; frame += 1) {
            list.scrollTop += 300;
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - last);
            last = performance.now();
          }
          return times.sort((one, other) => one - other);
        }"""
    )
    assert frames[30] < SLOW_FRAME
    assert tab.page.evaluate("document.querySelectorAll('#items .row').length") < 500
    there = """(share) => {
      const list = document.getElementById("list"), box = list.getBoundingClientRect();
      list.scrollTop = list.scrollHeight * share;
      const seen = document.elementFromPoint(box.left + 60, box.top + 100);
      return seen !== null && seen.closest(".row") !== null;
    }"""
    for share in (0.5, 1):
        tab.wait_until(lambda share=share: tab.page.evaluate(there, share))
    assert tab.page.locator("#items .row").last.get_attribute("aria-posinset") == "10000"
    tab.search("row 9999")
    assert tab.count == 1
