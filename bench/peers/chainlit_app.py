"""A minimal assistant on Chainlit that stores its chats: a password, SQLite, answers from an OpenAI server.

Chainlit runs this in its own environment; the bench does not import it.
"""

# pyright: basic, reportMissingImports=false

import os

import chainlit as cl
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from openai import AsyncOpenAI

model = AsyncOpenAI(base_url=os.environ["BENCH_MODEL_URL"], api_key="none")


@cl.data_layer
def data_layer():
    return SQLAlchemyDataLayer(conninfo=os.environ["BENCH_DATABASE"])


@cl.password_auth_callback
def authenticate(username: str, password: str):
    return cl.User(identifier=username) if password else None


@cl.on_message
async def answer(message: cl.Message) -> None:
    reply = cl.Message(content="")
    chunks = await model.chat.completions.create(model="local", messages=cl.chat_context.to_openai(), stream=True)
    async for chunk in chunks:
        if chunk.choices and (text := chunk.choices[0].delta.content):
            await reply.stream_token(text)
    await reply.update()
