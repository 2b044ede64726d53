"""The pages in a real browser: Chromium, as Debian packages it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

_CHROMIUM = shutil.which("chromium")
_DRIVER = shutil.which("chromedriver")
_SECONDS = 20

pytestmark = [
    pytest.mark.skipif(
        _CHROMIUM is None or _DRIVER is None,
        reason="no browser: install Debian's chromium and chromium-driver",
    ),
    # What a browser shows does not depend on the database.
    pytest.mark.parametrize("site", ["sqlite"], indirect=True),
]

Browser: TypeAlias = webdriver.Chrome
Opening = Callable[[str], Browser]


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder that the browser saves to."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder of the screenshots, for a person to look at."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def browser(site: Any, downloads: Path) -> Iterator[Browser]:
    """Start a browser, and sign in with a user's key as a person would."""
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM or ""
    for argument in ("--headless=new", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Its sandbox does not work for root.
        options.add_argument("--no-sandbox")
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option(
        "prefs",
        {
            "download.default_directory": str(downloads),
            "profile.default_content_setting_values.automatic_downloads": 1,
        },
    )
    driver = webdriver.Chrome(options, webdriver.ChromeService(_DRIVER))
    try:
        driver.get(f"{site.url}/runs?outcome=FAIL")
        driver.find_element(By.ID, "key").send_keys(site.key, Keys.ENTER)
        _wait(driver, lambda found: found.current_url.endswith("/runs?outcome=FAIL"))
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def opening(site: Any, browser: Browser) -> Iterator[Opening]:
    """Give what opens a page; nothing may have been refused or gone wrong on it."""
    _log(browser)

    def open_page(path: str) -> Browser:
        browser.get(site.url + path)
        return browser

    yield open_page
    wrong = [
        entry for entry in _log(browser) if entry["level"] in ("SEVERE", "WARNING")
    ]
    assert wrong == []


def _wait(driver: Browser, condition: Callable[[Browser], Any]) -> Any:
    return WebDriverWait(driver, _SECONDS).until(condition)


def _log(driver: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = driver.get_log("browser")
    return entries


def _is_there(path: Path, _: Browser) -> bool:
    return path.is_file()


def test_a_search_leads_to_a_run(site: Any, opening: Opening) -> None:
    """Filters narrow the list down, and a row of it opens its run."""
    driver = opening("/runs")
    Select(driver.find_element(By.ID, "filter-outcome")).select_by_visible_text("FAIL")
    serial = driver.find_element(By.ID, "filter-serial")
    serial.send_keys(site.serial.lower(), Keys.ENTER)
    _wait(driver, lambda found: "outcome=FAIL" in found.current_url)
    rows = driver.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert len(rows) == 1
    rows[0].find_element(By.LINK_TEXT, "Open").click()
    _wait(driver, lambda found: found.current_url.endswith(f"/runs/{site.run}"))


def test_a_run_shows_its_plot_and_its_image(site: Any, opening: Opening) -> None:
    """A series is drawn as a line, an image is decoded, and no file's script ran."""
    driver = opening(f"/runs/{site.run}")
    line = driver.find_element(By.CSS_SELECTOR, "figure.chart path.line")
    assert line.rect["width"] > 300
    image = driver.find_element(By.CSS_SELECTOR, ".file img")
    driver.execute_script("arguments[0].scrollIntoView()", image)
    width = "return arguments[0].naturalWidth"
    assert _wait(driver, lambda found: found.execute_script(width, image)) == 160
    assert driver.title.endswith("rigbridge")


def test_a_download_is_equal_to_what_was_uploaded(
    site: Any, opening: Opening, downloads: Path
) -> None:
    """The bytes that the browser saves are those that the rig sent, HTML too."""
    driver = opening(f"/runs/{site.run}")
    for name in ("shot.png", "evil.html"):
        link = driver.find_element(By.CSS_SELECTOR, f"a[aria-label='Download {name}']")
        driver.execute_script("arguments[0].click()", link)
        path = downloads / name
        _wait(driver, partial(_is_there, path))
        assert path.read_bytes() == site.contents[name]
    assert driver.current_url.endswith(f"/runs/{site.run}")


def test_the_keyboard_leads_to_content_and_search(opening: Opening) -> None:
    """The first tab stop skips to the content, a slash leads to the search."""
    driver = opening("/")
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = driver.switch_to.active_element
    assert focused.text == "Skip to the content"
    focused.send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.get_attribute("id") == "main"
    driver.switch_to.active_element.send_keys("/")
    assert driver.switch_to.active_element.get_attribute("id") == "find"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_every_screen(
    site: Any, opening: Opening, pictures: Path, scheme: str, width: int
) -> None:
    """No page is wider than the screen, and the ground follows light and dark."""
    driver = opening("/")
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    measurement = f"/procedures/{site.procedure}/measurement?phase=Power&name=Voltage"
    pages = {
        "start": "/",
        "runs": "/runs",
        "run": f"/runs/{site.run}",
        "procedure": f"/procedures/{site.procedure}",
        "measurement": measurement,
    }
    for name, path in pages.items():
        opening(path)
        driver.save_screenshot(str(pictures / f"{name}-{scheme}-{width}.png"))
        wide = "return document.documentElement.scrollWidth"
        assert driver.execute_script(wide) <= width, name
    ground = driver.execute_script(
        "return getComputedStyle(document.body).backgroundColor"
    )
    bright = sum(int(part) for part in ground.strip("rgb()").split(","))
    assert (bright > 3 * 128) is (scheme == "light")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
