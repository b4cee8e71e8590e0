"""A user's settings, and changes of them."""

from typing import Any, Literal

from pydantic import BaseModel, model_validator

from contracts.chat import ApprovalPolicy, Instructions

Theme = Literal["system", "light", "dark"]


class UserSettings(BaseModel):
    """`approval`: which of the assistant's changes require approval. `instructions`: for all conversations."""

    approval: ApprovalPolicy = "destructive"
    instructions: Instructions = ""
    theme: Theme = "system"


class UserSettingsPatch(BaseModel):
    """Any of the fields; those left out stay as they are."""

    approval: ApprovalPolicy = "destructive"
    instructions: Instructions = ""
    theme: Theme = "system"

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and not cls.model_fields.keys() & data.keys():
            raise ValueError("name at least one of approval, instructions, theme")
        return data  # pyright: ignore[reportUnknownVariableType]
