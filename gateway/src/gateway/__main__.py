"""`python -m gateway`: serves until SIGTERM or SIGINT."""

from gateway.main import run
from gateway.settings import Settings
from servicekit.process import start


def main() -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    start("gateway", settings, lambda: run(settings))


main()
