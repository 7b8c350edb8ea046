"""The browser that some tests use."""

import shutil
from pathlib import Path

import pytest

PLAYWRIGHT = Path(__file__).parents[1] / "node_modules" / "playwright-core"
SECONDS = 240  # a script ends itself before that, and its browser with it


def chromium() -> str:
    """The path of a Chromium; skips the test if anything that its scripts need is missing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip(f"needs a browser on PATH: {', '.join(names)}")
    if shutil.which("node") is None:
        pytest.skip("needs node on PATH")
    if not PLAYWRIGHT.is_dir():
        pytest.skip("needs playwright-core: make tests/node_modules/.installed")
    return browser
