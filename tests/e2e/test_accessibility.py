"""axe finds no violation in any view, in light and in dark mode."""

import pytest
from playwright.async_api import ViewportSize

from tests.e2e.axe import violations
from tests.e2e.person import NewContext
from tests.e2e.tour import PhoneTour, Tour

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.mark.parametrize(("kind", "size"), [(Tour, DESK), (PhoneTour, PHONE)], ids=["desk", "phone"])
async def test_axe_finds_nothing(new_context: NewContext, url: str, kind: type[Tour], size: ViewportSize) -> None:
    context = await new_context(base_url=url, viewport=size, reduced_motion="reduce", service_workers="block")
    found: list[str] = []
    page = await context.new_page()

    async def look(view: str) -> None:
        found.extend(f"{view}: {one}" for one in await violations(page))

    await kind(page, look).everything()
    assert not found, "\n".join(found)
