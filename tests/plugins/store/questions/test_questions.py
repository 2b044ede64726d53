"""The questions of the trade, answered in a browser by the clicks of a person."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

_SECONDS = 20
_STALE = (StaleElementReferenceException,)


class _Person:
    """Somebody at the start page, who reads, clicks and types."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        self.clicks = 0
        browser.get(url)

    def click(self, css: str, text: str = "") -> None:
        """Click the first thing that is shown with that text."""
        self.clicks += 1
        found = self._find(css, text)
        self.browser.execute_script(
            "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found
        )
        found.click()

    def type(self, css: str, text: str) -> None:
        """Type into a field and press Enter."""
        self.clicks += 1
        field = self._find(css, "")
        field.clear()
        field.send_keys(text, Keys.ENTER)

    def choose(self, css: str, text: str) -> None:
        """Choose an entry of a list."""
        self.clicks += 1
        Select(self._find(css, "")).select_by_visible_text(text)

    def reads(self, *texts: str, css: str = "main") -> None:
        """Wait until all of some texts are shown."""

        def shown(browser: Any) -> bool:
            found = " ".join(
                item.text for item in browser.find_elements(By.CSS_SELECTOR, css)
            )
            return all(text in found for text in texts)

        WebDriverWait(self.browser, _SECONDS, ignored_exceptions=_STALE).until(
            shown, f"{texts} at {css} of {self.browser.current_url}"
        )

    def _find(self, css: str, text: str) -> Any:
        def found(browser: Any) -> Any:
            for item in browser.find_elements(By.CSS_SELECTOR, css):
                if item.is_displayed() and text in item.text:
                    return item
            return None

        return WebDriverWait(self.browser, _SECONDS, ignored_exceptions=_STALE).until(
            found, f"{css} with {text!r} at {self.browser.current_url}"
        )

    def rows(self) -> int:
        """Count the runs that are listed."""
        return len(self.browser.find_elements(By.CSS_SELECTOR, ".runs tbody tr"))


@pytest.fixture
def visit(person: Any, factory: Any) -> _Person:
    """Sit down at the start page."""
    return _Person(person, factory.url)


def test_which_station_is_worse(visit: _Person) -> None:
    """The procedure's page tells yields by station; one click narrows all of it."""
    visit.click("#figures a", "End of line")
    visit.reads("EOL-1", "EOL-2", "EOL-3", css="[aria-labelledby=by-station]")
    visit.click("[aria-labelledby=by-station] a", "EOL-2")
    visit.reads("42", css=".tile")
    assert visit.clicks == 2


def test_which_runs_are_of_a_station(visit: _Person) -> None:
    """The list of runs has the station as a column and as a filter."""
    visit.click("nav a", "Runs")
    visit.choose("#filter-station", "EOL-3")
    visit.click("button", "Search")
    visit.reads("EOL-3", css=".runs tbody tr:first-child")
    stations = visit.browser.find_elements(By.CSS_SELECTOR, "[data-label=Station]")
    assert {item.text for item in stations} == {"EOL-3"}


def test_what_an_operator_tested(visit: _Person, factory: Any) -> None:
    """From a run its operator leads to all that he tested."""
    visit.type("#find", factory.runs["text"])
    visit.click(".runs a", "Open")
    visit.click(".facts a", "@plant.example")
    visit.reads("PB24-", css=".runs tbody")
    assert visit.rows() == 50


def test_how_the_yield_is_today(visit: _Person) -> None:
    """Today is told by the clock; the archive ends long before."""
    visit.click(".periods a", "today")
    visit.reads("No run in this period")


def test_how_the_yield_was_by_week_and_revision(visit: _Person) -> None:
    """Bars by week begin on Mondays, and revisions stand apart."""
    visit.click("#figures a", "End of line")
    visit.click(".tabs a", "by week")
    visit.click("summary", "As a table")
    visit.reads("2024-03-04", "2024-03-11", css="details.more table")
    visit.reads("A PB-24", "B PB-24", css="[aria-labelledby=by-revision]")


def test_what_fails_most(visit: _Person) -> None:
    """The bars of the Pareto lead to the runs in which it failed."""
    visit.click("#figures a", "End of line")
    visit.click("[aria-labelledby=failing] .bar-link")
    visit.reads("Supply", css=".runs tbody tr:first-child")
    failed = visit.browser.find_elements(By.CSS_SELECTOR, "[data-label='Failed first']")
    assert {item.text for item in failed} == {"Supply"}


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("error", ("Ripple", "VISA timeout: no answer from the scope")),
        ("aborted", ("ABORTED", "Operator pressed the stop button")),
        ("text", ("Firmware", "2.0.9", "matches")),
        ("drifted", ("Supply", "3 ≤ x ≤ 3.5")),
    ],
)
def test_why_a_run_failed(
    visit: _Person, factory: Any, which: str, words: tuple[str, ...]
) -> None:
    """A box names what failed, what it should be, and a log line; links lead there."""
    visit.type("#find", factory.runs[which])
    visit.click(".runs a", "Open")
    visit.reads(*words, css="#why")
    visit.click("#why a")
    assert "#" in visit.browser.current_url
    assert visit.clicks == 3


def test_where_a_unit_is_of_which_only_digits_can_be_read(visit: _Person) -> None:
    """A fragment of a number is enough."""
    visit.type("#find", "00772")
    visit.reads("PB24-00772", css=".runs tbody")
    assert visit.rows() == 2


def test_where_a_part_and_a_run_are(visit: _Person, factory: Any) -> None:
    """The same box finds batches, and runs by the beginning of their id."""
    visit.type("#find", "w12")
    visit.reads("PB24-", css=".runs tbody")
    visit.type("#find", factory.runs["aborted"][:8])
    visit.reads("ABORTED", css=".runs tbody")
    assert visit.rows() == 1


def test_which_runs_took_longest(visit: _Person) -> None:
    """A click on a heading sorts; the address can be kept."""
    visit.click("nav a", "Runs")
    visit.click("th a", "Duration")
    visit.reads("26 s", css=".runs tbody tr:first-child")
    assert "sort=longest" in visit.browser.current_url


def test_where_a_step_is_in_a_long_run(visit: _Person, factory: Any) -> None:
    """Of 600 phases a box leaves one; what a phase holds comes when it is unfolded."""
    visit.browser.get(f"{visit.browser.current_url}runs/{factory.runs['long']}")
    assert len(visit.browser.page_source) < 300_000
    visit.click("#phase-7 > summary")
    visit.reads("Pin 007", css="#phase-7")
    visit.type("#find-in-run", "pin 555")
    visit.reads("Step 555", "Pin 555", css="#phases")
    assert len(visit.browser.find_elements(By.CSS_SELECTOR, ".phase")) == 1
    visit.click("#phases a", "All phases")
    visit.click("#phases a", "Hide 40 skipped")
    visit.reads("Show 40 skipped", css=".in-run")
    assert not visit.browser.find_elements(By.ID, "phase-120")


def test_what_changed_between_two_runs_of_a_unit(visit: _Person) -> None:
    """Two runs that are ticked stand side by side."""
    visit.type("#find", "00772")
    visit.click(".runs tbody tr:nth-child(1) input")
    visit.click(".runs tbody tr:nth-child(2) input")
    visit.click("button", "Compare the ticked runs")
    visit.reads("2 runs compared", "Supply", "Peak")
    visit.click(".periods a", "only differences")
    visit.reads("Supply", css=".comparison .differs")
    assert visit.clicks == 5


def test_which_station_drifts(visit: _Person) -> None:
    """A measurement over time tells stations apart by colour, numbers and a trend."""
    visit.click("#figures a", "End of line")
    visit.click("[aria-labelledby=failing] th a", "Supply")
    visit.reads("EOL-1", "EOL-2", "EOL-3", css="[aria-labelledby=by-station]")
    visit.click("[aria-labelledby=by-station] a", "EOL-2")
    visit.reads("rises by more than chance would have it", css=".tiles")
    marks = visit.browser.find_elements(By.CSS_SELECTOR, ".chart a > .mark")
    assert len(marks) == 42
    assert all(" · EOL-2" in mark.get_attribute("textContent") for mark in marks)
    assert visit.browser.find_elements(By.CSS_SELECTOR, ".odd")


def test_what_was_tested_after_a_calibration_ended(visit: _Person) -> None:
    """The list of instruments leads to their runs, and to those that were too late."""
    visit.click("nav a", "Instruments")
    visit.reads("MY53-3", "2024-03-10", "overdue", css="main tbody tr:nth-child(3)")
    visit.click("main tbody tr:nth-child(3) td:nth-child(5) a")
    visit.reads("EOL-3", "cal. overdue", css=".runs tbody tr:first-child")
    assert visit.clicks == 2


def test_which_limit_is_too_tight_and_which_phase_takes_long(visit: _Person) -> None:
    """One page of a procedure has both, the worst first, narrowed as all others."""
    visit.click("#figures a", "End of line")
    visit.click("[aria-labelledby=measured] a", "Limits and durations")
    visit.reads("Peak", "0 … 0.06", css="[aria-labelledby=limits]")
    indices = visit.browser.find_elements(By.CSS_SELECTOR, "[data-label=Cpk]")
    told = [float(item.text) for item in indices]
    assert told == sorted(told)
    visit.reads("Program", "4 s", css="[aria-labelledby=durations]")
    assert visit.clicks == 2


def test_which_units_passed_after_a_failure(visit: _Person, factory: Any) -> None:
    """An entry of the list of outcomes finds them."""
    factory.retest(29)
    visit.click("nav a", "Runs")
    visit.choose("#filter-outcome", "passed after a failure")
    visit.click("button", "Search")
    visit.reads("PB24-00729", css=".runs tbody tr:first-child")
    assert visit.rows() == 1
    assert visit.clicks == 3


def test_the_first_pass_yield_of_each_part(visit: _Person) -> None:
    """The start page has a table of parts, of the period that was chosen."""
    visit.click(".periods a", "all")
    visit.reads("PB-24", "%", css="[aria-labelledby=by-part]")
    visit.click("[aria-labelledby=by-part] a", "PB-24")
    visit.reads("PB24-", css=".runs tbody")


def test_what_failed_as_a_table(visit: _Person, downloads: Path) -> None:
    """A list is exported as it was narrowed down."""
    visit.click("nav a", "Runs")
    visit.choose("#filter-outcome", "all that did not pass")
    visit.click("button", "Search")
    visit.reads("FAIL", css=".runs tbody tr:first-child")
    listed = visit.rows()
    visit.click(".exports a", "CSV")
    path = downloads / "runs.csv"
    WebDriverWait(visit.browser, _SECONDS).until(lambda _: path.is_file())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["run_id"] for row in rows}) == listed
    assert {row["run_outcome"] for row in rows} == {"FAIL", "ERROR", "ABORTED"}


def test_when_that_was_here(visit: _Person) -> None:
    """Times are in the zone of the reader, UTC is one click away."""
    zone = {"timezoneId": "Asia/Tokyo"}
    visit.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", zone)
    visit.browser.refresh()
    visit.reads("2024-03-18 16:00:00", css=".runs time")
    visit.click("[data-zone]", "Show times in UTC")
    visit.reads("2024-03-18 07:00:00", css=".runs time")
    visit.click("[data-zone]", "Show times in Asia/Tokyo")
    visit.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_what_has_just_been_tested(visit: _Person, factory: Any) -> None:
    """A run that comes shows by itself; who wants no motion is told of it."""
    browser = visit.browser
    visit.reads("PB24-", css=".runs tbody")
    factory.finish_run(140)
    visit.reads("PB24-00840", css=".runs tbody tr:first-child")
    still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": still})
    browser.refresh()
    factory.finish_run(141)
    visit.click("#live a", "There are new runs")
    visit.reads("PB24-00841", css=".runs tbody tr:first-child")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


_AUDIT = (Path(__file__).parent / "accessibility.js").read_text("utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_every_page_serves_keyboard_and_screen_reader(
    visit: _Person, factory: Any, width: int, scheme: str
) -> None:
    """Names, headings, tables, contrast as drawn, and no page wider than 320 px."""
    procedure = f"/procedures/{factory.procedures['End of line']}"
    failed, other = factory.runs["text"], factory.runs["again"]
    pages = (
        "/",
        "/runs?q=0072",
        "/runs?q=nowhere",
        f"{procedure}?period=all",
        f"{procedure}/process",
        f"{procedure}/measurement?phase=Power&name=Supply&period=all",
        "/instruments",
        *(f"/runs/{factory.runs[name]}" for name in ("error", "aborted", "long")),
        f"/compare?run={failed}&run={other}",
        "/units?serial=PB24-00772",
        "/nothing",
    )
    browser = visit.browser
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    found: dict[str, list[str]] = {}
    try:
        for page in pages:
            browser.get(factory.url + page)
            if faults := browser.execute_script(_AUDIT):
                found[page] = faults[:5]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        # The page that is not there is noted in the log, which another test reads.
        browser.get_log("browser")
    assert found == {}


def test_a_printed_run_has_its_folded_phases(visit: _Person, factory: Any) -> None:
    """They are unfolded for the printer, and folded afterwards as they were."""
    visit.browser.get(f"{factory.url}/runs/{factory.runs['error']}")
    closed = "#phases details.phase:not([open])"
    count = f"return document.querySelectorAll('{closed}').length"
    fire = "window.dispatchEvent(new Event(arguments[0]))"
    script = "document.querySelectorAll('#phases details').forEach(p => p.open = false)"
    visit.browser.execute_script(script)
    folded = visit.browser.execute_script(count)
    assert folded > 0
    visit.browser.execute_script(fire, "beforeprint")
    assert visit.browser.execute_script(count) == 0
    visit.browser.execute_script(fire, "afterprint")
    assert visit.browser.execute_script(count) == folded


def test_nothing_that_a_rig_sent_is_more_than_text(
    visit: _Person, factory: Any
) -> None:
    """Names with markup and of ten thousand characters break no page."""
    browser = visit.browser
    procedure = factory.procedures["End of line"]
    for path in (
        "",
        "runs?column=station&column=operator",
        f"runs/{factory.runs['hostile']}",
        f"compare?run={factory.runs['hostile']}&run={factory.runs['text']}",
        f"procedures/{procedure}?period=all",
    ):
        browser.get(f"{factory.url}/{path}")
        wide = "return document.documentElement.scrollWidth"
        assert browser.execute_script(wide) <= 1280, path
        assert not browser.find_elements(By.CSS_SELECTOR, "img[src=x]")
    wrong = [
        entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"
    ]
    assert wrong == []
