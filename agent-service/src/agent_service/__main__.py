"""`python -m agent_service`"""

from contracts.service import start

from agent_service.main import NAME, run
from agent_service.settings import Settings

if __name__ == "__main__":
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    start(NAME, settings, lambda: run(settings))
