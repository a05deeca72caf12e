"""A shop on the real reactor and a real Chromium. The story of a test runs in a thread, the site on the reactor.

Screenshots go to $SCREENSHOTS, else to the test's own folder.
"""

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
import pytest_twisted
from argon2 import PasswordHasher
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.threads import blockingCallFromThread, deferToThread

from minitelecom.calls.live import LiveCalls
from minitelecom.config import Config
from minitelecom.money import Money
from minitelecom.store import cards, operators
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import SynchronousDatabase, run
from minitelecom.web.site import make_site

PASSWORD = "correct horse"
HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
PATIENCE_SECONDS = 30  # for whatever must come: no measure of speed
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Shop:
    """The site on the reactor; a story calls these from its thread."""

    database: SynchronousDatabase
    live: LiveCalls
    secrets: Secrets
    address: str = ""

    def do(self, function: Callable, *arguments: object, **named: object) -> object:
        """Runs a function on the reactor's thread, where everything of the shop lives."""
        return blockingCallFromThread(reactor, function, *arguments, **named)

    def query(self, sql: str, parameters: tuple = ()) -> list[tuple]:
        return self.do(lambda: run(self.database.query(sql, parameters)))

    def new_cards(self, count: int = 1, minor: int = 1500) -> list[str]:
        def make() -> list[str]:
            amount, zone = Money.from_minor(minor, "EUR"), ZoneInfo("Europe/Sofia")
            made = cards.add_group(
                self.database, count, amount, "now", "adam", now(), self.secrets, Random(count), zone=zone
            )
            return [card.number for card in run(made)[1]]

        return self.do(make)


@dataclass
class Window:
    """One browser window and what a person does with it."""

    driver: Chrome
    shop: Shop
    folder: Path
    width: int = 1280
    language: str = "en"
    console: list[str] = field(default_factory=list)

    def size(self, width: int, height: int = 900) -> "Window":
        self.width = width
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return self

    def open(self, path: str) -> "Window":
        self.driver.get(self.shop.address + path)
        return self

    def log_in(self, name: str = "olga") -> "Window":
        self.open("/login")
        self.go(f"button[name=language][value={self.language}]")
        self.type("#name", name)
        self.type("#password", PASSWORD)
        self.go("button.main")
        assert self.path == "/online", self.text
        return self

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.shop.address)

    @property
    def text(self) -> str:
        return self.find("main").text.replace("\u00a0", " ").replace("\u202f", " ")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def type(self, selector: str, text: str) -> None:
        element = self.find(selector)
        element.clear()
        element.send_keys(text)

    def press(self, selector: str) -> None:
        """Presses the first of these that can be seen, as a finger would."""
        next(element for element in self.all(selector) if element.is_displayed()).click()

    def go(self, selector: str) -> None:
        """Presses what leads to another page, and waits for it."""
        page = self.find("html").id
        self.press(selector)
        self.until(lambda: self.find("html").id != page)

    def until(self, condition: Callable[[], object]) -> None:
        """Waits for it; rows that are replaced while one looks are looked at again."""
        passing = [StaleElementReferenceException]
        WebDriverWait(self.driver, PATIENCE_SECONDS, 0.05, passing).until(lambda _: condition())

    def paint(self, *, media: str = "", scheme: str = "light") -> "Window":
        """On paper, or at night."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        return self

    def look(self, name: str) -> None:
        """Nothing may stick out at the side, nothing may be complained of; and the picture is kept."""
        over = self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        self.console += [message for message in said if not message.startswith("chrome://")]  # a page of Chromium's own
        picture = self.folder / f"{name}-{self.language}-{self.width}.png"
        self.driver.save_screenshot(str(picture))
        assert over <= 0, f"{name} is {over} px wider than the window"
        assert not self.console, f"{name}: {self.console}"


def chromium(folder: Path) -> Chrome:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(PATIENCE_SECONDS)
    return driver


@pytest.fixture
def shop(database: SynchronousDatabase, tmp_path: Path) -> Iterator[Shop]:
    secrets = Secrets.from_file(tmp_path / "key")
    for name, role in (("olga", "operator"), ("adam", "administrator")):
        run(operators.add(database, name, role, HASH, now()))
    shop = Shop(database, LiveCalls(), secrets)
    site = make_site(database, Config(language="bg"), shop.live, now, secrets, reactor)
    listening = pytest_twisted.blockon(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site))
    yield replace(shop, address=f"http://127.0.0.1:{listening.getHost().port}")
    pytest_twisted.blockon(listening.stopListening())


@pytest.fixture
def window(shop: Shop, tmp_path: Path) -> Iterator[Window]:
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    driver = pytest_twisted.blockon(deferToThread(chromium, tmp_path))
    try:
        yield Window(driver, shop, folder)
    finally:
        pytest_twisted.blockon(deferToThread(driver.quit))


def story(test: Callable[..., None]) -> Callable[..., Deferred[None]]:
    """Lets the test run in a thread while the reactor serves it."""

    @functools.wraps(test)
    def told(**fixtures: object) -> Deferred[None]:
        return deferToThread(test, **fixtures)

    return told
