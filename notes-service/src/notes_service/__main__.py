"""`python -m notes_service`"""

from notes_service.main import NAME, run
from notes_service.settings import Settings
from servicekit.process import start


def main() -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    start(NAME, settings, lambda: run(settings))


if __name__ == "__main__":
    main()
