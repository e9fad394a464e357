"""Check a built site, in a folder: `python .ci/check_site.py docs/_build/html`.

Every internal link leads to a page and an anchor that are there, and no page loads anything from elsewhere.
In headless Chromium, if there is one: no error in the console, no image missing, no horizontal scroll on a
telephone or a laptop, and the search finds a public name.
"""

import functools
import http.server
import shutil
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

WIDTHS = (390, 1280)
SOUGHT = "VectorizedGridSearchCV"
BROWSERS = "chromium chromium-browser google-chrome google-chrome-stable".split()
LOAD_IMAGES = """async () => {
    for (const image of document.images) {
        image.loading = 'eager';
        await image.decode().catch(() => 0);
    }
}"""
LOADED = {("img", "src"), ("script", "src"), ("source", "src"), ("video", "src"), ("iframe", "src")}
STYLES = {"stylesheet", "icon", "preload", "modulepreload"}


class Page(HTMLParser):
    """The anchors of a page, the addresses that it links to and those of files that it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Note what a tag names, links to or loads."""
        attributes = {name: value or "" for name, value in attributes}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.links.add(attributes["href"])
        if tag == "link" and set(attributes.get("rel", "").split()) & STYLES:
            self.loaded.add(attributes.get("href", ""))
        self.loaded |= {value for name, value in attributes.items() if (tag, name) in LOADED}
        if tag in ("img", "source") and "srcset" in attributes:
            self.loaded |= {choice.split()[0] for choice in attributes["srcset"].split(",")}


def is_foreign(address):
    """Whether an address is on another site."""
    return bool(urlsplit(address).netloc)


def pages_of(folder):
    """Return the pages in a folder: what lies in _static belongs to the theme."""
    return [
        path for path in sorted(folder.rglob("*.html")) if "_static" not in path.relative_to(folder).parts
    ]


def problems_of(folder):
    """Return a line for each link, anchor or file of the pages in a folder that is wrong."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in pages_of(folder)}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder)
        found += [f"{name}: loads {address} from elsewhere" for address in page.loaded if is_foreign(address)]
        for address in sorted(page.links | page.loaded):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                found.append(f"{name}: {address} leads to nothing")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name}: {address} has no such anchor")
    return found


def find_browser():
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *arguments):
        """Print nothing."""


def look(page, address):
    """Open an address; return a line for each thing that is wrong."""
    found = []
    on_console = lambda message: message.type == "error" and found.append(f"console: {message.text}")  # noqa: E731
    on_error = lambda error: found.append(f"script: {error}")  # noqa: E731
    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.goto(address, wait_until="load")
    page.evaluate(LOAD_IMAGES)
    missing = page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
    found += [f"image missing: {source}" for source in missing]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"scrolls by {wide} pixels")
    page.remove_listener("console", on_console)
    page.remove_listener("pageerror", on_error)
    return found


def problems_in_browser(folder, browser_path):
    """Return a line for each thing that is wrong with a page in Chromium."""
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    found = []
    with sync_playwright() as playwright:
        # A container may have no sandbox to offer; the pages are our own.
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            for path in pages_of(folder):
                name = path.relative_to(folder).as_posix()
                found += [f"{name} at {width}: {problem}" for problem in look(page, f"{root}/{name}")]
            page.close()
        page = browser.new_page()
        page.goto(f"{root}/search.html?q={SOUGHT}")
        try:
            page.wait_for_selector(f"#search-results li a:has-text('{SOUGHT}')", timeout=10_000)
        except Exception as error:
            found.append(f"the search does not find {SOUGHT}: {error}")
        browser.close()
    server.shutdown()
    return found


def main(folder):
    """Print what is wrong; return how many things."""
    folder = Path(folder).resolve()
    pages = pages_of(folder)
    if not pages:
        sys.exit(f"{folder} holds no pages: build the site first.")
    found = problems_of(folder)
    browser = find_browser()
    try:
        import playwright  # noqa: F401
    except ImportError:
        print("Skipped in a browser: there is no playwright (python -m pip install playwright).")
    else:
        if browser is None:
            print(f"Skipped in a browser: none of {', '.join(BROWSERS)} is on the PATH.")
        else:
            print(f"Opening {len(pages)} pages in {browser}.")
            found += problems_in_browser(folder, browser)
    print(*found, f"{len(pages)} pages, {len(found)} problems", sep="\n")
    return len(found)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1])))
