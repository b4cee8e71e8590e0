"""HTTP of a user's settings."""

from fastapi import APIRouter
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.user_events import SettingsChanged
from gateway.dependencies import Services, User
from gateway.preferences.models import Preferences, PreferencesPatch
from gateway.problems import problems
from gateway.state import Gateway

router = APIRouter(prefix="/api/settings", tags=["accounts"])


@router.get("", responses=problems(401))
async def get_settings(user: User, to: Services) -> Preferences:
    return await to.preferences.get(user.user_id)


@router.patch("", responses=problems(401, 403))
async def change_settings(body: PreferencesPatch, user: User, to: Services) -> Preferences:
    """Answers that begin from now on keep to them."""
    changed = await to.preferences.change(user.user_id, body.model_dump(exclude_unset=True))
    await _tell(to, user.user_id)
    return changed


async def _tell(to: Gateway, user_id: str) -> None:
    """The user's other tabs read them afresh; a tab that misses this does so when it next loads."""
    if not to.nc.is_connected:
        return
    try:
        await to.nc.publish(subjects.user_signal(user_id), SettingsChanged().model_dump_json().encode())
    except NatsError:
        return
