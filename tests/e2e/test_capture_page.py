# SPDX-License-Identifier: MIT
"""The page of examples/capture in headless Chromium."""

import tempfile
import unittest

import capture_fixture
import smtpin_fixture as fixture
from capture_fixture import Capture, message

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

HOSTILE = """<!doctype html><html><head>
<meta http-equiv="refresh" content="0;url=/messages">
<script>document.title = "script"; parent.postMessage("script", "*")</script>
</head><body onload="parent.postMessage('onload', '*')">
<p id="text">Hello</p>
<img src="x" onerror="parent.postMessage('onerror', '*')">
<img src="/messages?q=image"><img id="inner" src="cid:picture">
<svg onload="parent.postMessage('svg', '*')"></svg>
<iframe src="javascript:parent.parent.postMessage('frame', '*')"></iframe>
<a id="link" href="javascript:alert(1)">link</a>
<form action="/messages" method="post"><button id="send">send</button></form>
<link rel="stylesheet" href="/page.css"><style>@import "/page.css";</style>
<base href="http://evil.example/">
</body></html>"""

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082")


def browser(home):
    """A Chromium that keeps its files in HOME."""
    if webdriver is None:
        fixture.cannot("python3-selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = fixture.need("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--window-size=1280,900",
                     f"--user-data-dir={home}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(
        service=Service(fixture.need("chromedriver")), options=options)


class Page(unittest.TestCase):
    """One browser for all: it takes long to start."""

    @classmethod
    def setUpClass(cls):
        home = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.browser = browser(home)
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.capture = self.enterContext(Capture())

    def open(self, *messages):
        """The page, once it shows MESSAGES."""
        if messages:
            self.capture.send(*messages)
        self.browser.get(self.capture.url)
        self.until_subjects([m["Subject"] for m in reversed(messages)])

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)

    def until(self, condition, what):
        return fixture.until(condition, what, 30 * fixture.SLOW)

    def subjects(self):
        return self.script("return [...document.querySelectorAll("
                           "'.row-subject')].map((e) => e.textContent)")

    def until_subjects(self, subjects):
        self.until(lambda: self.subjects() == subjects,
                   f"the list is {subjects}")

    def until_read(self, subject):
        self.until(lambda: self.one("#subject").text == subject and
                   self.one("#message").is_displayed(), f"{subject} is shown")

    def test_live(self):
        self.open()
        self.until(lambda: self.one("#nothing-hint").text.endswith(
            f"127.0.0.1:{self.capture.smtp_port}"), "where to send mail")
        self.capture.send(message("first"))
        self.until_subjects(["first"])
        self.capture.send(message("second"))
        self.until_subjects(["second", "first"])
        self.until(lambda: self.browser.title == "(2) capture", "the title")
        self.capture.request("DELETE", "/messages", subject="first")
        self.until_subjects(["second"])

    def test_views(self):
        self.open(message("Views", "Plain http://a.example/x.\n", "<b>HTML</b>",
                          to="Bob <bob@b.example>",
                          attachments=[("a.txt", "text/plain", b"attached")]))
        self.one("#list a").click()
        self.until_read("Views")
        self.assertEqual(self.one("#tab-html").get_attribute("aria-selected"),
                         "true")
        self.browser.switch_to.frame(self.one("#view iframe"))
        self.assertEqual(self.one("b").text, "HTML")
        self.browser.switch_to.default_content()
        self.one("#tab-text").click()
        self.until(lambda: self.all("#view pre a"), "the text")
        self.assertEqual(self.one("#view pre a").get_attribute("href"),
                         "http://a.example/x")
        self.press(Keys.ARROW_RIGHT)
        self.until(lambda: "Bob <bob@b.example>" in self.one("#view").text,
                   "the header")
        self.press(Keys.ARROW_RIGHT)
        self.until(lambda: "Content-Type: multipart/mixed" in
                   self.one("#view").text, "the source")
        link, = self.all("#attachments a")
        self.assertEqual(self.script(
            "return fetch(arguments[0].href).then((r) => r.text())",
            link), "attached")

    def test_keys(self):
        self.open(*(message(str(i)) for i in range(4)))
        self.press("j")
        self.until_read("3")
        self.press("j")
        self.until_read("2")
        self.press("k")
        self.until_read("3")
        self.press(Keys.DELETE)
        self.until_read("2")
        self.until_subjects(["2", "1", "0"])
        self.press("/")
        self.press("1")
        self.until_subjects(["1"])
        self.press(Keys.ESCAPE)
        self.until_subjects(["2", "1", "0"])
        self.press(Keys.ESCAPE)
        self.until(lambda: self.one("#no-message").is_displayed(), "the list")

    def test_search_and_delete_found(self):
        self.open(message("Welcome", to="ann@a.example"),
                  message("Invoice", to="bob@b.example"))
        self.one("#search").send_keys("to:@b.example inv")
        self.until_subjects(["Invoice"])
        self.one("#clear").click()
        self.browser.switch_to.alert.accept()
        self.until_subjects([])
        self.one("#search").send_keys(Keys.CONTROL + "a")
        self.one("#search").send_keys("wel")
        self.until_subjects(["Welcome"])

    def test_narrow(self):
        self.browser.set_window_size(420, 800)
        self.addCleanup(self.browser.set_window_size, 1280, 900)
        self.open(message("Narrow", html="<p>x</p>"))
        self.assertFalse(self.one("#reader").is_displayed())
        self.one("#list a").click()
        self.until_read("Narrow")
        self.assertFalse(self.one("#list").is_displayed())
        self.assertLessEqual(*self.script(
            "const e = document.documentElement;"
            "return [e.scrollWidth, e.clientWidth]"))
        self.one("#back").click()
        self.until(lambda: self.one("#list").is_displayed(), "the list")

    def test_colours(self):
        self.open()
        colours = []
        for _ in range(3):
            colours.append(self.script(
                "return getComputedStyle(document.body).backgroundColor"))
            self.one("#theme").click()
        self.assertEqual(len(set(colours)), 2)

    def test_hostile_html(self):
        """It runs nothing, reaches nothing and leads nowhere."""
        m = message("Hostile", html=HOSTILE)
        m.get_payload()[1].add_related(PIXEL, "image", "png", cid="<picture>")
        self.open(m)
        self.script("window.heard = [];"
                    "addEventListener('message', (e) => heard.push(e.data))")
        self.one("#list a").click()
        self.until_read("Hostile")
        frame = self.one("#view iframe")
        for remote in False, True:
            if remote:
                self.one("#remote").click()
                frame = self.one("#view iframe")
            self.browser.switch_to.frame(frame)
            self.until(lambda: self.script(
                "return document.readyState == 'complete'"), "the mail")
            self.assertEqual(self.one("#text").text, "Hello")
            self.assertEqual(self.script("return origin"), "null")
            self.assertEqual(
                self.one("#inner").get_property("naturalWidth"), 1)
            self.assertEqual(self.script(
                "return [...document.images].filter((i) => "
                "i.naturalWidth > 0).length"), 1)
            # As it would be by page.css.
            self.assertNotEqual(self.script(
                "return getComputedStyle(document.body).display"), "flex")
            self.one("#send").click()
            self.one("#link").click()
            self.browser.switch_to.default_content()
        self.assertEqual(self.script("return heard"), [])
        for handle in self.browser.window_handles[1:]:
            self.browser.switch_to.window(handle)
            self.assertEqual(self.script("return document.body.innerText"), "")
            self.browser.close()
        self.browser.switch_to.window(self.browser.window_handles[0])
        self.assertEqual(self.subjects(), ["Hostile"])

    def test_hostile_texts(self):
        """What a message says is shown as it is."""
        code = '<img src=x onerror="window.bad = 1"><b>'
        self.open(message(code, code + "\n", sender=f'"{code}" <a@a.example>',
                          to=f'"{code}" <b@b.example>',
                          attachments=[(code, "x/y", code.encode())]))
        self.one("#list a").click()
        self.until_read(code)
        for view in "text", "headers", "source":
            self.one(f"#tab-{view}").click()
            self.until(lambda: "<b>" in self.one("#view").text, view)
        self.assertIsNone(self.script("return window.bad ?? null"))
        self.assertEqual(self.all("#panes b"), [])

    def test_a_page_elsewhere(self):
        """A page of another origin can neither read nor delete."""
        with Capture() as other:
            self.capture.send(message("mine"))
            self.browser.get(other.url)
            # Its policy would stop this here; the guard has to.
            for path in "messages", "events":
                self.assertEqual(self.capture.request("GET", f"/{path}", {
                    "Origin": other.url[:-1],
                    "Sec-Fetch-Site": "same-site"}).status, 403)
            self.assertEqual(self.script(
                "return fetch(arguments[0], {method: 'DELETE'})"
                ".then(() => 'done', () => 'refused')",
                self.capture.url + "messages"), "refused")
        self.assertEqual(len(self.capture.messages()), 1)

    def test_nothing_is_complained_of(self):
        self.browser.get_log("browser")
        self.open(message("x", html="<p>x</p>"))
        self.one("#list a").click()
        self.until_read("x")
        for view in "text", "headers", "source", "html":
            self.one(f"#tab-{view}").click()
        self.assertEqual(self.browser.get_log("browser"), [])


if __name__ == "__main__":
    # Beside the program, which is the first argument.
    capture_fixture.main()
