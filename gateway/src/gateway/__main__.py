"""`python -m gateway`: serves until it is told to stop."""

from contracts.service import start

from gateway.main import run
from gateway.settings import Settings


def main() -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    start("gateway", settings, lambda: run(settings))


main()
