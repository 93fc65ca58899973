"""What a hand does in the grid: finds an entry by what is said of it, and drags it."""

import re

from playwright.async_api import Locator, Page


def entry(page: Page, practitioner: str, time: str, *words: str) -> Locator:
    """Return what stands in the practitioner's column from that time on."""
    said = ".*".join(map(re.escape, (*words, practitioner)))
    return page.get_by_role("button", name=re.compile(f"^{time}.*{said}", re.DOTALL))


async def drag(page: Page, what: Locator, onto: Locator, *, lower: int = 0) -> None:
    """Drag by the upper edge to the upper edge of another, or some pixels `lower`; with
    the stops that a hand makes.
    """
    await what.scroll_into_view_if_needed()
    start, end = await what.bounding_box(), await onto.bounding_box()
    assert start is not None
    assert end is not None
    mouse = page.mouse
    await mouse.move(start["x"] + 20, start["y"] + 4)
    await mouse.down()
    await mouse.move(start["x"] + 24, start["y"] + 14, steps=3)
    await mouse.move(end["x"] + 20, end["y"] + 4 + lower, steps=8)
    await mouse.up()


async def middle(of: Locator) -> tuple[float, float]:
    box = await of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def top(of: Locator) -> float:
    box = await of.bounding_box()
    assert box is not None
    return box["y"]
