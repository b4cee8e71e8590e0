"""`python -m agent_service`"""

from agent_service.main import NAME, run
from agent_service.settings import Settings
from servicekit.process import start

if __name__ == "__main__":
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    start(NAME, settings, lambda: run(settings))
