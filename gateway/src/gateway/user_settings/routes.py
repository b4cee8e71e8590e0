"""HTTP of a user's settings."""

from fastapi import APIRouter
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.user_events import SettingsChanged
from gateway.container import Container
from gateway.dependencies import Services, User
from gateway.problems import problems
from gateway.user_settings.models import UserSettings, UserSettingsPatch

router = APIRouter(prefix="/api/settings", tags=["accounts"])


@router.get("", responses=problems(401))
async def get_settings(user: User, to: Services) -> UserSettings:
    return await to.user_settings.get(user.user_id)


@router.patch("", responses=problems(401, 403))
async def change_settings(body: UserSettingsPatch, user: User, to: Services) -> UserSettings:
    """Answers that begin from now on keep to them."""
    changed = await to.user_settings.change(user.user_id, body.model_dump(exclude_unset=True))
    await _tell(to, user.user_id)
    return changed


async def _tell(to: Container, user_id: str) -> None:
    """The user's other tabs read them afresh; a tab that misses this does so when it next loads."""
    if not to.nc.is_connected:
        return
    try:
        await to.nc.publish(subjects.user_signal(user_id), SettingsChanged().model_dump_json().encode())
    except NatsError:
        return
