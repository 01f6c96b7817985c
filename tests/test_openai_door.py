"""The official OpenAI client speaks to a live service."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import openai
import pytest
from openai import OpenAI

from rag.config import Settings
from tests.conftest import ROOT
from tests.faults import FaultServer
from tests.serving import HELD, NOT_HELD, served


@pytest.fixture(scope="module")
def address(seed_index: Path) -> Iterator[str]:
    with served(Settings(index=seed_index)) as live:
        yield live


@pytest.fixture
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{address}/v1", api_key="not-needed", max_retries=0) as open_client:
        yield open_client


def test_models_are_listed_and_looked_up(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "seedrag", "seedrag/default", "seedrag/default/extractive",
    ]  # fmt: skip
    assert client.models.retrieve("seedrag/default").id == "seedrag/default"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


def test_a_completion_carries_its_citations(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model="seedrag", messages=[{"role": "user", "content": HELD}]
    )
    message = reply.choices[0].message
    assert message.content is not None
    assert "thirty-seven" in message.content
    assert message.annotations is not None
    [annotation] = message.annotations
    cited = annotation.url_citation
    assert message.content[cited.start_index : cited.end_index] == "[1]"
    place = {name: value for name, [value] in parse_qs(urlsplit(cited.url).query).items()}
    text = (ROOT / "seeds" / place["doc"]).read_text(encoding="utf-8")
    assert "thirty-seven" in text[int(place["start"]) : int(place["end"])]
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is None
    answer = reply.model_extra["seedrag"]  # type: ignore[index]
    assert answer["citations"][0]["verdict"] == "verified"


def test_a_stream_says_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(
        model="seedrag", messages=[{"role": "user", "content": HELD}]
    )
    said, ends, annotations = "", [], []
    chunks = list(
        client.chat.completions.create(
            model="seedrag/default/extractive",
            messages=[{"role": "user", "content": [{"type": "text", "text": HELD}]}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    for chunk in chunks:
        for choice in chunk.choices:
            said += choice.delta.content or ""
            ends += [choice.finish_reason] if choice.finish_reason else []
            annotations += (choice.delta.model_extra or {}).get("annotations") or []
    assert said == whole.choices[0].message.content
    assert ends == ["stop"]
    assert len(annotations) == 1
    assert len(chunks) > 5
    assert chunks[-1].choices == []


def test_what_is_not_held_is_said_to_be_so(client: OpenAI) -> None:
    asked = [{"role": "user", "content": NOT_HELD}]
    reply = client.chat.completions.create(model="seedrag", messages=asked)  # type: ignore[arg-type]
    assert reply.choices[0].message.content == "The documents do not answer this question."
    assert reply.model_extra["seedrag"]["abstained"]  # type: ignore[index]
    stream = client.chat.completions.create(model="seedrag", messages=asked, stream=True)  # type: ignore[call-overload]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert said == reply.choices[0].message.content


def test_what_users_said_before_is_history_and_what_is_not_heeded_is_named(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model="seedrag",
        temperature=0.7,
        messages=[
            {"role": "system", "content": "Answer in verse."},
            {"role": "user", "content": "Who is the foreign minister of Belarus?"},
            {"role": "assistant", "content": "Maxim Ryzhenkov. [1]"},
            {"role": "user", "content": "And what has he hinted at?"},
        ],
    )
    answer = reply.model_extra["seedrag"]  # type: ignore[index]
    assert "Ryzhenkov" in answer["passages"][0]["text"]
    [warning] = [each for each in answer["warnings"] if each["code"] == "parameters_ignored"]
    assert "temperature" in warning["message"]
    assert "neither user nor assistant" in warning["message"]


def test_errors_are_the_clients_own(address: str, client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model of this name"):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "?"}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="seedrag", messages=[{"role": "user", "content": " "}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="seedrag", messages=[{"role": "system", "content": "x"}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(
            model="seedrag", n=2, messages=[{"role": "user", "content": HELD}]
        )
    refused = httpx.post(f"{address}/v1/chat/completions", json={"model": "x", "messages": []})
    assert refused.json()["error"]["code"] == refused.json()["code"] == "invalid"


def test_a_backend_that_fails_is_told_of_before_and_within_a_stream(seed_index: Path) -> None:
    with FaultServer() as faults:
        settings = Settings(
            index=seed_index, backends=("openai:tiny",), openai_base_url=faults.url, silence_seconds=1
        )
        faults.fault = "die_midway"
        with (
            served(settings) as live,
            OpenAI(base_url=f"{live}/v1", api_key="x", max_retries=0) as client,
        ):
            asked = [{"role": "user", "content": HELD}]
            model = "seedrag/default/openai:tiny"
            with pytest.raises(openai.InternalServerError):
                client.chat.completions.create(model=model, messages=asked)  # type: ignore[arg-type]
            with pytest.raises(openai.APIError, match="broke off"):
                list(client.chat.completions.create(model=model, messages=asked, stream=True))  # type: ignore[call-overload]
            faults.fault = ""
            faults.says("Thirty-seven people were freed on 16 September. [1]")
            reply = client.chat.completions.create(model=model, messages=asked)  # type: ignore[arg-type]
            assert reply.usage is not None
            assert reply.usage.prompt_tokens == 7
