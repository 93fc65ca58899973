"""Chromium, what a page must never do in it, and what axe has against a page."""

import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
    async_playwright,
)

from tests.architecture.source import ROOT

ARTEFACTS = ROOT / ".artefacts/browser"
AXE = ROOT / "src/scheduling/entrypoints/calendar/node_modules/axe-core/axe.min.js"

# The first that is there, as in .ci/set-up; else playwright's own, if it has one.
PLACES = ("chromium", "chromium-browser", "google-chrome")

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # pictures look the same on all machines
)

A_REFUSAL = re.compile(r"the server responded with a status of 4\d\d ")
"""Chromium takes every refusal of the API for an error of the page."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """With a new profile, which ends with it."""
    named = os.environ.get("SCHEDULING_CHROMIUM")
    found = next(filter(None, map(shutil.which, filter(None, (named, *PLACES)))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watch:
    """Notes what no page may do: errors on its console, one of which each breach of
    its policy is, crashes of its scripts, and requests that go elsewhere.
    """

    origins: list[str]
    found: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", self._crashed)
        context.on("request", self._asked)

    def forgive(self, pattern: str) -> None:
        """What a test brings about on purpose is no finding."""
        self.forgiven.append(pattern)

    def findings(self) -> list[str]:
        return [
            one
            for one in self.found
            if not any(re.search(pattern, one) for pattern in self.forgiven)
        ]

    def _said(self, message: ConsoleMessage) -> None:
        place = str(message.location.get("url", ""))
        refused = A_REFUSAL.search(message.text) and "/v1/" in place
        if message.type in {"error", "warning"} and not refused:
            self.found.append(f"{message.type}: {message.text} ({place})")

    def _crashed(self, crash: WebError) -> None:
        self.found.append(f"crash: {crash.error}")

    def _asked(self, request: Request) -> None:
        ours = (f"{origin}/" for origin in self.origins)
        if not request.url.startswith((*ours, "data:", "blob:")):
            self.found.append(f"elsewhere: {request.url}")


@cache
def _axe() -> str:
    assert AXE.exists(), "axe is not installed: run .ci/set-up --tests"
    return AXE.read_text()


async def axe_findings(page: Page) -> list[str]:
    """Return a line for each part of the page that breaks a rule of axe."""
    await page.evaluate(_axe())
    told: dict[str, Any] = await page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations']})"
    )
    assert told["passes"], "axe has looked at nothing"
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n  {node['html'][:200]}\n  "
        + "; ".join(
            check["message"] for how in ("any", "all", "none") for check in node[how]
        )
        for rule in told["violations"]
        for node in rule["nodes"]
    ]


async def picture(page: Page, name: str, **how: Any) -> Path:  # noqa: ANN401
    """Keep a screenshot as `.artefacts/browser/NAME.png`, fonts loaded, nothing
    moving; `how` is what playwright's own takes.
    """
    file = ARTEFACTS / f"{name}.png"
    await page.evaluate("() => document.fonts.ready.then(() => null)")
    await page.screenshot(
        path=file, **{"animations": "disabled", "caret": "hide", **how}
    )
    return file


def script_that_remembers(persona: str) -> str:
    """Return what makes a new tab one of somebody who has chosen before who to be."""
    return f"""
        if (location.pathname === '/calendar/' && !sessionStorage.getItem('chosen')) {{
            sessionStorage.setItem('chosen', 'once')
            sessionStorage.setItem('scheduling.persona', {json.dumps(persona)})
        }}
    """
