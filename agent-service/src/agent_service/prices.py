"""What a model costs."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.run_events import Usage

PER_TOKENS = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Of a million tokens, in `currency` (ISO 4217). Decimals, so that a cost is exact and sums are, too."""

    tokens_in: Decimal
    tokens_out: Decimal
    currency: str

    def priced(self, usage: Usage) -> Usage:
        cost = (self.tokens_in * usage.input_tokens + self.tokens_out * usage.output_tokens) / PER_TOKENS
        return usage.model_copy(update={"cost": cost, "currency": self.currency})
