"""The report in a real browser, where there is one: looks, colours, width, script, accessibility.

`NNDSL_CHROMIUM` names the browser where it is not found by itself; `NNDSL_AXE` the file
`axe.min.js` of the accessibility checker axe-core, without which that test is skipped.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl.cli.main import run

MODELS = Path(__file__).resolve().parents[2] / "models"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--hide-scrollbars", "--virtual-time-budget=5000")  # fmt: skip
SOURCE = """data digits = csv("digits.csv", target=digit)
net Digits on digits {
  reshape(1x8x8)
  hidden = conv(4, 3) -> relu -> conv(6, 3) -> relu
  flatten -> dense(digits.classes) -> softmax
}
train Digits { epochs = 3; report = [weights(Digits.conv[1], size=3x3), filters(Digits.conv[2])] }
"""
BOTH = """data penguins = csv("penguins.csv", target=species)
net Both on penguins {
  first = dense(8) -> relu -> dense(penguins.classes) -> softmax
  second = dense(penguins.classes) -> softmax
  (first, second)
}
train Both { loss = (cross_entropy, 0.1 * cross_entropy); epochs = 5 }
"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

Browse = Callable[..., str]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a short run over the digits."""
    place = tmp_path_factory.mktemp("report")
    shutil.copy(MODELS / "digits.csv", place)
    (place / "digits.nn").write_text(SOURCE)
    words = ["train", str(place / "digits.nn"), "--out", str(place / "run"), "--quiet", "--report"]
    assert run(words) == 0
    return place / "run" / "report.html"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a net that answers twice for one target."""
    place = tmp_path_factory.mktemp("both")
    shutil.copy(MODELS / "penguins.csv", place)
    (place / "both.nn").write_text(BOTH)
    words = ["train", str(place / "both.nn"), "--out", str(place / "run"), "--quiet", "--report"]
    assert run(words) == 0
    return place / "run" / "report.html"


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """What a headless browser makes of a page: its document as text, or with more arguments."""
    found = os.environ.get("NNDSL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed here")

    def call(page: Path, *arguments: str) -> str:
        done = subprocess.run(
            [found, *ARGUMENTS, f"--user-data-dir={tmp_path / 'user'}",
             *(arguments or ("--dump-dom",)), page.as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout + done.stderr

    return call


def with_script(report: Path, place: Path, script: str) -> Path:
    """A copy of the page without its policy that runs a script and writes what it gives."""
    text = POLICY.sub("", report.read_text(encoding="utf-8"))
    assert text != report.read_text(encoding="utf-8")
    end = "<script>(async () => { const found = await (async () => {" + script + "})();"
    end += "document.title = JSON.stringify(found); })();</script></body>"
    copy = place / "copy.html"
    copy.write_text(text.replace("</body>", end), encoding="utf-8")
    return copy


def answer(document: str):
    found = re.search(r"<title>(.*?)</title>", document, re.S)
    assert found is not None
    return json.loads(html.unescape(found[1]))


def test_it_is_drawn_in_light_and_dark(report, browse, tmp_path) -> None:
    sizes = []
    for scheme in ("0", "1"):
        picture = tmp_path / f"{scheme}.png"
        browse(report, f"--blink-settings=preferredColorScheme={scheme}",
               f"--screenshot={picture}", "--window-size=1280,1600")  # fmt: skip
        data = picture.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(data[16:20], "big") == 1280
        sizes.append(data)
    assert sizes[0] != sizes[1]
    assert min(map(len, sizes)) > 40_000, "the page is nearly empty"


def test_nothing_in_it_is_refused(report, browse) -> None:
    logged = browse(report, "--dump-dom", "--enable-logging=stderr", "--v=0")
    messages = [line for line in logged.splitlines() if "CONSOLE" in line]
    assert messages == []
    assert '<button type="button" id="theme" aria-pressed="' in logged, "its own script runs"


def test_a_foreign_script_does_not_run(report, browse, tmp_path) -> None:
    text = report.read_text(encoding="utf-8")
    copy = tmp_path / "foreign.html"
    foreign = "<script>document.title = 'pwned'</script><p onclick='x' style='color:red'>a</p>"
    copy.write_text(text.replace("</main>", foreign + "</main>"), encoding="utf-8")
    logged = browse(copy, "--dump-dom", "--enable-logging=stderr", "--v=0")
    assert "<title>pwned" not in logged
    assert "Content Security Policy" in logged


def test_the_button_changes_the_colours(report, browse, tmp_path) -> None:
    script = """
      const seen = [];
      const button = document.getElementById("theme");
      for (let i = 0; i < 3; i++) {
        seen.push([button.getAttribute("aria-pressed"),
                   getComputedStyle(document.body).backgroundColor]);
        button.click();
      }
      return seen;
    """
    first, second, third = answer(browse(with_script(report, tmp_path, script)))
    assert first == third and first[0] != second[0] and first[1] != second[1]


def test_what_is_wide_says_so(report, browse, tmp_path) -> None:
    script = """
      const wide = [...document.querySelectorAll(".scroll")];
      const over = part => part.scrollWidth - part.clientWidth > 2;
      const width = value => document.querySelector(".page").style.maxWidth = value;
      document.querySelectorAll("details").forEach(part => { part.open = true });
      const seen = [];
      for (const value of ["20rem", "200rem"]) {
        width(value);
        await new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)));
        seen.push(wide.some(over));
        seen.push(wide.every(part => part.classList.contains("more") === over(part)));
        seen.push(wide.every(part => part.tabIndex === (over(part) ? 0 : -1)));
      }
      return seen;
    """
    page = with_script(report, tmp_path, script)
    for _ in range(6):  # a browser without a window may end before it has drawn a frame
        document = browse(page)
        if "<title>[" in document:
            break
    narrow, *rest = answer(document)
    assert narrow and rest[:2] == [True, True] and rest[3:] == [True, True]


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_is_never_wider_than_the_window(report, browse, tmp_path, width: int) -> None:
    page = POLICY.sub("", report.read_text(encoding="utf-8"))
    frame = f'<iframe width="{width}" height="900" src="data:text/html;base64,PAGE"></iframe>'
    note = "<script>onload = () => parent.postMessage(document.documentElement.scrollWidth, '*')"
    inner = page.replace("</body>", note + "</script></body>").encode()
    frame = frame.replace("PAGE", base64.b64encode(inner).decode())
    outer = tmp_path / "outer.html"
    listen = "onmessage = e => { document.title = JSON.stringify(e.data) }"
    outer.write_text(f"<title>0</title><script>{listen}</script>{frame}", encoding="utf-8")
    assert answer(browse(outer)) == width


@pytest.mark.parametrize("name", ["report", "both"])
def test_the_accessibility_checker_has_no_complaint(name, browse, tmp_path, request) -> None:
    axe = os.environ.get("NNDSL_AXE")
    if not axe or not Path(axe).is_file():
        pytest.skip("NNDSL_AXE does not name the file axe.min.js of axe-core")
    script = Path(axe).read_text(encoding="utf-8").replace("</script", "<\\/script")
    script += """;
      document.querySelectorAll("details").forEach(part => { part.open = true });
      const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const told = {};
      for (const theme of ["light", "dark"]) {
        document.documentElement.dataset.theme = theme;
        const found = await axe.run(document, {runOnly: rules});
        told[theme] = [found.passes.length,
                       found.violations.map(v => [v.id, v.nodes.map(n => n.html)])];
      }
      return told;
    """
    page = with_script(request.getfixturevalue(name), tmp_path, script)
    for passed, violations in answer(browse(page)).values():
        assert violations == []
        assert passed > 30
