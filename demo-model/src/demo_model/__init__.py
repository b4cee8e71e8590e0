"""The model that answers where no provider is configured, so that Inkstream works without a key or a network.

It reads plain English requests by rules and calls the tools that it is given, for real; it understands nothing beyond
its rules and says so. To the agent service it is one more `agents.models.interface.Model`, streamed token by token like
a real one: that makes it the model of the end-to-end tests, too.

`parse` turns a request into intents (`rules_*`, `phrases`, `quotes`), `plan` and `steps` turn intents into tool calls
and sentences, `response_stream` streams the reply in the shapes of OpenAI's Responses API.
"""

from demo_model.model import DemoModel

__all__ = ["DemoModel"]
