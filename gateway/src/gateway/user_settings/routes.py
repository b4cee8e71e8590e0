"""HTTP routes of a user's settings."""

from fastapi import APIRouter
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.user_events import SettingsChanged
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.problems import problems
from gateway.user_settings.dependencies import StoredSettings
from gateway.user_settings.models import UserSettings, UserSettingsPatch

router = APIRouter(prefix="/api/settings", tags=["accounts"], route_class=ProtectedRoute)


@router.get("", responses=problems(401))
async def get_settings(user: User, stored_settings: StoredSettings) -> UserSettings:
    return await stored_settings.get(user.user_id)


@router.patch("", responses=problems(401, 403))
async def change_settings(
    body: UserSettingsPatch, user: User, stored_settings: StoredSettings, nc: Nats
) -> UserSettings:
    """Applies to runs that start from now on."""
    changed = await stored_settings.change(user.user_id, body.model_dump(exclude_unset=True))
    await _publish_change(nc, user.user_id)
    return changed


async def _publish_change(nc: Client, user_id: str) -> None:
    """Signals the user's tabs to load the settings again. A tab that misses the signal has them after its next load."""
    if not nc.is_connected:
        return
    try:
        await nc.publish(subjects.user_signal(user_id), SettingsChanged().model_dump_json().encode())
    except NatsError:
        return
