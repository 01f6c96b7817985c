import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CallToolResult

import api.answering
import api.mcp
import api.mcp_tools
from api.app import create_app
from api.security.keys import new_key
from rag.build import build_index
from rag.config import Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from tests.conftest import ROOT
from tests.serving import HELD, NOT_HELD, served

SEED = "prisoner-releases.md"


def command(index: Path) -> StdioServerParameters:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    cache = {"RAG_CACHE_DIR": os.environ["RAG_CACHE_DIR"]} if "RAG_CACHE_DIR" in os.environ else {}
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "api", "--mcp"],
        env={**kept, **cache, "RAG_INDEX": str(index)},
        cwd=ROOT,
    )


@asynccontextmanager
async def over_http(url: str, key: str | None = None, mode: Any = "auto") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        create_mcp_http_client(headers) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


async def outcome(awaited: Any) -> Any:
    try:
        return await awaited
    except MCPError as error:
        return error


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "search": ("search", {"question": HELD}),
    "filtered": ("search", {"question": HELD, "top_k": 2, "filter": {"doc": "minsk*"}}),
    "bad filter": ("search", {"question": HELD, "filter": {"color": "red"}}),
    "too many": ("search", {"question": HELD, "top_k": 101}),
    "none": ("search", {"question": HELD, "top_k": 0}),
    "ask": ("ask", {"question": HELD}),
    "follow-up": (
        "ask",
        {
            "question": "How many of them were freed on 16 September?",
            "history": [{"role": "user", "content": "Who are the political prisoners?"}],
        },
    ),
    "abstain": ("ask", {"question": NOT_HELD}),
    "long": ("ask", {"question": "x" * 4001}),
    "empty": ("ask", {"question": " "}),
    "no question": ("ask", {}),
    "misspelt": ("ask", {"question": HELD, "colection": "default"}),
    "other backend": ("ask", {"question": HELD, "backend": "openai:gpt"}),
    "other collection": ("ask", {"question": HELD, "collection": "elsewhere"}),
    "whole": ("read_document", {"id": SEED}),
    "window": ("read_document", {"id": SEED, "start": 887, "end": 947, "context": 10}),
    "backwards": ("read_document", {"id": SEED, "start": 947, "end": 887}),
    "beyond": ("read_document", {"id": SEED, "start": 0, "end": 99_999}),
    "unknown": ("read_document", {"id": "../secrets.md"}),
}


async def conversation(client: Client) -> dict[str, Any]:
    """All that the tests below look at, in one session."""
    heard: dict[str, Any] = {"version": client.protocol_version, "server": client.server_info}
    heard["tools"] = {each.name: each for each in (await client.list_tools()).tools}
    for name, (tool, arguments) in CALLS.items():
        heard[name] = await client.call_tool(tool, arguments)
    heard["no tool"] = await outcome(client.call_tool("delete_everything", {}))
    heard["resources"] = await client.list_resources()
    heard["templates"] = await client.list_resource_templates()
    heard["read"] = await client.read_resource(f"seedrag://default/{SEED}")
    for uri in ("seedrag://default/none.md", "seedrag://elsewhere/none.md", "file:///etc/passwd"):
        heard[uri] = await outcome(client.read_resource(uri))
    heard["cursor"] = await outcome(client.list_resources(cursor="nonsense"))
    return heard


@pytest.fixture(scope="module", params=["stdio", "http", "http-legacy", "http-slash"])
def heard(request: pytest.FixtureRequest, seed_index: Path) -> dict[str, Any]:
    async def through(target: Any) -> dict[str, Any]:
        async with target as client:
            return await conversation(client)

    if request.param == "stdio":
        return asyncio.run(through(Client(command(seed_index), mode="legacy")))
    with served(Settings(index=seed_index)) as address:
        slash = "/" if request.param == "http-slash" else ""
        mode = "legacy" if request.param == "http-legacy" else "auto"
        return asyncio.run(through(over_http(f"{address}/mcp{slash}", mode=mode)))


def text(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if block.type == "text")


def test_it_says_who_it_is_and_offers_its_tools_as_reading_only(heard: dict[str, Any]) -> None:
    assert heard["server"].name == "seedrag"
    assert list(heard["tools"]) == ["search", "ask", "read_document"]
    for tool in heard["tools"].values():
        assert tool.description
        assert tool.annotations.read_only_hint
        assert tool.output_schema["type"] == "object"


def test_schemas_describe_every_parameter_with_the_bounds_of_the_service(heard: dict[str, Any]) -> None:
    for tool in heard["tools"].values():
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        for field in tool.input_schema["properties"].values():
            assert field["description"]
    fields = {name: tool.input_schema["properties"] for name, tool in heard["tools"].items()}
    assert list(fields["search"]) == ["question", "top_k", "filter", "collection"]
    assert list(fields["ask"]) == ["question", "backend", "history", "collection"]
    assert list(fields["read_document"]) == ["id", "start", "end", "context", "collection"]
    assert fields["ask"]["question"]["maxLength"] == 4000
    assert fields["ask"]["history"]["anyOf"][0]["maxItems"] == 40
    assert fields["ask"]["backend"]["anyOf"][0]["enum"] == ["extractive"]
    assert fields["search"]["top_k"]["anyOf"][0]["maximum"] == 100
    assert fields["search"]["collection"]["enum"] == ["default"]
    assert heard["tools"]["ask"].input_schema["required"] == ["question"]


def test_results_are_as_their_schemas_say(heard: dict[str, Any]) -> None:
    for name in ("search", "filtered", "ask", "follow-up", "abstain", "whole", "window"):
        schema = heard["tools"][CALLS[name][0]].output_schema
        assert not heard[name].is_error
        jsonschema.validate(heard[name].structured_content, schema)


def test_search_finds_the_document(heard: dict[str, Any]) -> None:
    hits = heard["search"].structured_content["hits"]
    assert hits[0]["doc"] == SEED
    assert f"1. {SEED} {hits[0]['start']}-{hits[0]['end']}" in text(heard["search"])
    assert hits[0]["text"] in text(heard["search"])
    filtered = heard["filtered"].structured_content["hits"]
    assert {hit["doc"] for hit in filtered} == {"minsk-aims.md"}


def test_an_answer_cites_verbatim(heard: dict[str, Any]) -> None:
    answer = heard["ask"].structured_content
    whole = heard["whole"].structured_content["text"]
    citation = answer["citations"][0]
    assert citation["doc"] == SEED
    assert whole[citation["start"] : citation["end"]] == citation["quote"]
    said = text(heard["ask"])
    assert said.startswith(answer["answer"])
    assert f"[1] {SEED} {citation['start']}-{citation['end']}" in said
    assert f"“{citation['quote']}”" in said
    assert answer["receipt"]
    assert "thirty-seven" in heard["follow-up"].structured_content["answer"]


def test_it_says_where_the_documents_do_not_answer(heard: dict[str, Any]) -> None:
    answer = heard["abstain"].structured_content
    assert answer["abstained"]
    assert text(heard["abstain"]).startswith("The documents do not answer this question.")
    assert "Nearest passages:" in text(heard["abstain"])
    assert answer["passages"][0]["text"] in text(heard["abstain"])


def test_a_document_is_read_around_a_span(heard: dict[str, Any]) -> None:
    whole, window = heard["whole"].structured_content, heard["window"].structured_content
    assert whole["text"] == (ROOT / "seeds" / SEED).read_text("utf-8")
    assert (window["window_start"], window["window_end"]) == (877, 957)
    assert window["text"] == whole["text"][877:957]
    assert f"{SEED}, characters 877 to 957 of {len(whole['text'])}, around 887 to 947" in text(
        heard["window"]
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("long", "A question may have at most 4,000 characters."),
        ("empty", "question: It must hold something to read, and no control characters."),
        ("no question", "question: Field required."),
        ("misspelt", "colection: Extra inputs are not permitted."),
        ("too many", "top_k may be at most 100."),
        ("none", "top_k: Input should be greater than or equal to 1."),
        ("other backend", "This backend is not offered; offered is: extractive."),
        ("other collection", "There is no collection of this name; there is: default."),
        ("unknown", "There is no document with this id in the index."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(heard: dict[str, Any], call: str, sentence: str) -> None:
    assert heard[call].is_error
    assert text(heard[call]) == sentence
    assert heard[call].structured_content is None


def test_further_errors_name_their_cause(heard: dict[str, Any]) -> None:
    assert heard["bad filter"].is_error
    assert text(heard["bad filter"]).startswith("filter")
    for call in ("beyond", "backwards"):
        assert heard[call].is_error
        assert "span" in text(heard[call])
    assert heard["no tool"].code == -32602
    assert str(heard["no tool"]) == "There is no tool of this name."


def test_documents_are_resources(heard: dict[str, Any]) -> None:
    listed = heard["resources"].resources
    assert [each.name for each in listed] == sorted(p.name for p in (ROOT / "seeds").glob("*.md"))
    assert f"seedrag://default/{SEED}" in [each.uri for each in listed]
    assert heard["resources"].next_cursor is None
    template = heard["templates"].resource_templates[0]
    assert template.uri_template == "seedrag://{collection}/{id}"
    contents = heard["read"].contents[0]
    assert contents.text == heard["whole"].structured_content["text"]
    assert contents.mime_type == "text/markdown"


def test_what_is_no_resource_is_a_protocol_error(heard: dict[str, Any]) -> None:
    unknown = heard["seedrag://default/none.md"]
    assert (unknown.code, str(unknown)) == (-32602, "There is no document with this id in the index.")
    assert heard["seedrag://elsewhere/none.md"].code == -32602
    assert "passwd" not in str(heard["file:///etc/passwd"])
    assert heard["file:///etc/passwd"].code == -32602
    assert heard["cursor"].code == -32602


@pytest.fixture
def odd_index(tmp_path: Path, minilm: Encoder) -> Path:
    lines = [
        {"id": "deep/er/100% sure? #1.txt", "text": "The lighthouse keeper counts ships."},
        {"id": "größe/%20.txt", "text": "Bread is baked before dawn."},
        {"id": "long.txt", "text": "The tide comes in and the tide goes out. " * 80},
    ]
    seeds = tmp_path / "odd.jsonl"
    seeds.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    build_index(IndexDirectory(tmp_path / "odd-index"), [seeds], minilm, Settings())
    return tmp_path / "odd-index"


def test_resources_come_in_pages_over_all_collections_and_odd_ids_can_be_read(
    seed_index: Path, odd_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.mcp, "PAGE", 4)
    monkeypatch.setattr(api.mcp_tools, "MOST_CHARACTERS", 2000)
    more = {"odd": {"index": odd_index}, "absent": {"index": tmp_path / "absent"}}
    settings = Settings.model_validate({"index": seed_index, "collections": more})

    async def listed(url: str) -> None:
        async with over_http(url) as client:
            page = await client.list_resources()
            pages = [page]
            while page.next_cursor:
                page = await client.list_resources(cursor=page.next_cursor)
                pages.append(page)
            assert [len(each.resources) for each in pages] == [4, 4, 2, 3, 0]
            odd = {each.name: each.uri for each in pages[3].resources}
            assert (
                odd["deep/er/100% sure? #1.txt"]
                == "seedrag://odd/deep%2Fer%2F100%25%20sure%3F%20%231.txt"
            )
            for uri in odd.values():
                assert (await client.read_resource(uri)).contents[0].text
            plain = await client.read_resource("seedrag://odd/deep/er/100%25%20sure%3F%20%231.txt")
            assert plain.contents[0].text == "The lighthouse keeper counts ships."
            long = await client.call_tool("read_document", {"id": "long.txt", "collection": "odd"})
            assert long.structured_content["window_end"] == 2000 == len(long.structured_content["text"])
            assert "give start and end to read on" in text(long)
            found = await client.call_tool(
                "search", {"question": "Who counts ships?", "collection": "odd"}
            )
            assert found.structured_content["hits"][0]["doc"] == "deep/er/100% sure? #1.txt"
            absent = await client.call_tool("ask", {"question": "Who?", "collection": "absent"})
            assert text(absent).startswith("Collection absent: the index was not built yet; build it")

    with served(settings) as address:
        asyncio.run(listed(f"{address}/mcp"))


def test_a_key_is_needed_where_keys_are_needed(seed_index: Path) -> None:
    key, digest = new_key()
    settings = Settings(index=seed_index, api_keys=(f"read:{digest}",), host="0.0.0.0")

    async def asked(url: str, shown: str | None) -> CallToolResult:
        async with over_http(url, shown) as client:
            return await client.call_tool("ask", {"question": HELD})

    with served(settings) as address:
        url = f"{address}/mcp"
        assert not asyncio.run(asked(url, key)).is_error
        for wrong in (None, f"{key}x"):
            with pytest.raises((MCPError, ExceptionGroup)):
                asyncio.run(asked(url, wrong))
        refused = httpx.post(url, json={})
        assert refused.status_code == 401
        assert refused.json()["code"] == "unauthorized"


def posted(url: str, method: str, params: dict[str, Any], timeout: float = 10) -> httpx.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    accepted = {"Accept": "application/json, text/event-stream"}
    return httpx.post(url, json=message, headers=accepted, timeout=timeout)


def test_the_gate_stands_before_it_and_each_request_stands_alone(seed_index: Path) -> None:
    with served(Settings(index=seed_index, allowed_hosts=("docs.example",), max_body_kb=2)) as address:
        url = f"{address}/mcp"
        for path in ("/mcp", "/mcp/"):
            reply = posted(f"{address}{path}", "tools/list", {})
            assert reply.status_code == 200
            assert "mcp-session-id" not in reply.headers
            assert reply.headers["x-request-id"]
        assert httpx.post(url, json={}, headers={"Host": "evil.example"}).status_code == 421
        assert httpx.post(url, json={}, headers={"Origin": "https://evil.example"}).status_code == 403
        assert posted(url, "tools/list", {"cursor": "x" * 3000}).status_code == 413
        known = {"Host": "docs.example", "Accept": "application/json"}
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert httpx.post(url, json=ping, headers=known).status_code == 200
        waiting = httpx.get(url, headers={"Accept": "text/event-stream"}, timeout=5)
        assert (waiting.status_code, waiting.headers["allow"]) == (405, "POST")
        assert httpx.delete(url).status_code == 405
        counted = httpx.get(f"{address}/metrics").text
        assert 'route="/mcp"' in counted


def test_a_failure_of_ours_tells_nothing_of_itself(
    seed_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise RuntimeError("/home/someone/secret sr_key")

    monkeypatch.setattr(api.mcp_tools, "search_json", broken)
    with served(Settings(index=seed_index)) as address:
        reply = posted(
            f"{address}/mcp", "tools/call", {"name": "search", "arguments": {"question": HELD}}
        )
    result = reply.json()["result"]
    assert result["isError"]
    assert (
        result["content"][0]["text"]
        == "Something went wrong in the service itself; its log says where."
    )


def test_the_work_ends_when_the_client_hangs_up(
    seed_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def endless(_: Callable[[str], Any], __: Any, watcher: Any) -> None:
        stopped = threading.Event()
        with watcher.stop.waking(stopped.set):
            if stopped.wait(20):
                ended.set()
        watcher.stop.check()

    monkeypatch.setattr(api.answering, "_ask", endless)
    with served(Settings(index=seed_index)) as address:
        with pytest.raises(httpx.ReadTimeout):
            posted(
                f"{address}/mcp",
                "tools/call",
                {"name": "ask", "arguments": {"question": HELD}},
                timeout=0.5,
            )
        assert ended.wait(5)


def test_it_is_not_in_the_openapi_document(settings: Settings) -> None:
    assert not [path for path in create_app(settings).openapi()["paths"] if "mcp" in path]


def test_a_missing_index_is_told_over_stdio_and_taken_up_once_it_is_built(
    tmp_path: Path, seed_index: Path
) -> None:
    async def asked() -> None:
        async with Client(command(tmp_path / "index")) as client:
            for tool, arguments in (("ask", {"question": HELD}), ("read_document", {"id": SEED})):
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                assert text(result).startswith(
                    "Collection default: the index was not built yet; build it"
                )
            assert (await client.list_resources()).resources == []
            shutil.copytree(seed_index, tmp_path / "index")
            result = await client.call_tool("ask", {"question": HELD})
            assert "thirty-seven" in text(result)

    asyncio.run(asked())


@pytest.fixture
def process(seed_index: Path) -> Iterator["subprocess.Popen[str]"]:
    told = command(seed_index)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        [told.command, *told.args], env=told.env, cwd=told.cwd, text=True, encoding="utf-8", **pipes
    ) as process:
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "seedrag"
        yield process
        process.kill()


def test_it_ends_at_the_end_of_its_input(process: "subprocess.Popen[str]") -> None:
    said, complained = process.communicate("not JSON\n", timeout=10)
    assert process.returncode == 0
    assert (said, complained) == ("", "")


def test_it_ends_when_it_is_told_to(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stdout
    assert process.stderr
    assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_it_ends_when_its_client_died(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write('{"jsonrpc": "2.0", "id": 2, "method": "ping"}\n')
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stderr.read() == ""
