"""The commands, each a thin layer over the library."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from rag.cli.fence import fence
from rag.errors import IndexCorruptError, IndexMissingError, QuestionError, RagError

app = typer.Typer(
    name="rag",
    help="Ask your own documents, and get an answer you can check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Index = Annotated[Path | None, typer.Option(help="Folder of the index.", show_default="index")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
TopK = Annotated[int | None, typer.Option(min=1, max=1000, help="How many passages.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show every signal of every passage.")]
Question = Annotated[str | None, typer.Argument(help="The question.", show_default=False)]
Batch = Annotated[
    Path | None,
    typer.Option(help='File of lines {"id","question","history"?,"filter"?}; - is stdin.'),
]
Receipt = Annotated[
    Path | None, typer.Option(help="Write to this file what the answer rests on, for `rag replay`.")
]
Where = Annotated[
    list[str] | None,
    typer.Option("--filter", help="doc=PREFIX*, title=T or meta.KEY=VALUE; all must hold."),
]
Grounding = Annotated[
    str | None,
    typer.Option(
        metavar="annotate|strict|repair",
        help="What becomes of a sentence that nothing supports.",
        show_default=False,
    ),
]


def main() -> None:
    """Run the command line: exit 0 done, 1 with one sentence on stderr, 2 for wrong usage."""
    with fence("rag"):
        app()


def _version(asked: bool) -> None:
    if asked:
        print(version("seedrag"))
        raise typer.Exit


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Ask your own documents, and get an answer you can check."""


@app.command(epilog="Example: rag build notes/ --index notes-index")
def build(
    seeds: Annotated[
        list[Path] | None, typer.Argument(help="Folders or files; none: those it knows.")
    ] = None,
    index: Index = None,
    add: Annotated[bool, typer.Option("--add", help="Keep the index's sources too.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Drop its sources.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Carry nothing over.")] = False,
    ray: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster that reads and embeds, or `local`.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Then build whenever they change.")] = False,
    as_json: Json = False,
) -> None:
    """Build the index of the seeds, or bring it up to date: only what changed is embedded."""
    from rag.build import build_index, plan_sources
    from rag.cli import show
    from rag.cli.watch import changes
    from rag.config import Settings
    from rag.embed import open_encoder
    from rag.store import IndexDirectory
    from rag.wire import build_json

    if add and replace:
        raise typer.BadParameter("say --add or --replace, not both")
    if (add or replace) and not seeds:
        raise typer.BadParameter("name the seeds to add, or to replace the known ones with")
    settings = Settings.load(index=index)
    directory = IndexDirectory(settings.index)
    sources = plan_sources(directory, seeds or [], settings.seeds, add, replace, fresh)

    def build_once() -> None:
        with show.progress() as progress:
            report = build_index(directory, sources, encoder, settings, progress, fresh, ray)
        _print(build_json(report), as_json, show.build)
        if report.failed:
            said = (
                "1 file or line was"
                if len(report.failed) == 1
                else f"{len(report.failed)} files or lines were"
            )
            print(f"rag: {said} left out.", file=sys.stderr)

    encoder = open_encoder(settings)
    if not watch:
        build_once()
        return
    for _ in changes(sources, directory.path):
        try:
            build_once()
        except (RagError, OSError) as error:
            print(f"rag: {error}", file=sys.stderr)
        fresh = False


@app.command(epilog='Example: rag search "labour shortages" --top-k 3 --explain')
def search(
    question: Question = None,
    top_k: TopK = None,
    index: Index = None,
    explain: Explain = False,
    where: Where = None,
    rerank: Annotated[bool, typer.Option(help="Whether they are ordered anew.")] = True,
    batch: Batch = None,
    as_json: Json = False,
) -> None:
    """Find the passages that fit a question best."""
    from rag.cli import show
    from rag.cli.batch import batch_lines, parse_filter
    from rag.config import Settings
    from rag.retrieve import Retriever
    from rag.wire import hits_json, search_json

    lines = _asked(question, batch, where, batch_lines)
    retriever = Retriever.open(settings=Settings.load(index=index))
    if batch is None:
        assert question is not None
        passages = retriever.search(question, top_k, parse_filter(where), rerank)
        _print(search_json(question, passages), as_json, lambda v: show.hits(v["hits"], explain))
        return
    for line in lines:
        found = retriever.retrieve(line.question, top_k, line.filter, line.history, rerank)
        _line({"id": line.id, "question": line.question, "hits": hits_json(found.passages)})


@app.command(epilog='Example: rag ask "How many people walked free on 16 September?"')
def ask(
    question: Question = None,
    backend: Annotated[str | None, typer.Option(help="What writes the answer.")] = None,
    grounding: Grounding = None,
    top_k: TopK = None,
    index: Index = None,
    explain: Explain = False,
    where: Where = None,
    batch: Batch = None,
    receipt: Receipt = None,
    as_json: Json = False,
) -> None:
    """Answer a question, every sentence with a citation that was checked; or say it cannot."""
    from rag.answer import Answerer
    from rag.cli import show
    from rag.cli.batch import batch_lines, parse_filter
    from rag.config import Settings
    from rag.receipt import receipt_of, write_receipt
    from rag.wire import answer_json

    if batch is not None and receipt is not None:
        raise typer.BadParameter("a receipt is of one question; leave --batch out")
    lines = _asked(question, batch, where, batch_lines)
    answerer = Answerer.open(settings=Settings.load(index=index, backend=backend, grounding=grounding))
    if batch is None:
        assert question is not None
        asked = question, top_k, parse_filter(where)
        considered = answerer.consider(*asked)
        _print(answer_json(considered.answer), as_json, lambda value: show.answer(value, explain))
        if receipt is not None:
            write_receipt(receipt, receipt_of(considered, answerer, *asked))
        return
    for line in lines:
        answer = answerer.ask(line.question, top_k, line.filter, line.history)
        _line({"id": line.id, **answer_json(answer)})


@app.command(epilog="Example: rag replay answer.receipt.json")
def replay(
    file: Annotated[Path, typer.Argument(help="What `rag ask --receipt` wrote.")],
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Ask a receipt's question again: exit 0 if the answer is the same, 3 if not, saying why."""
    from rag.cli.replay import run, show

    run(file, index, lambda value: _print(value, as_json, show))


@app.command()
def status(index: Index = None, as_json: Json = False) -> None:
    """Say what the index holds, what it was built from and which generations there are."""
    from rag.cli import show
    from rag.config import Settings
    from rag.store import IndexDirectory, open_snapshot

    directory = IndexDirectory(Settings.load(index=index).index)
    snapshot = open_snapshot(directory)
    manifest = snapshot.manifest
    value = {
        "index": str(directory.path),
        "generation": snapshot.generation,
        "digest": manifest.digest,
        "built": manifest.time["built"],
        **manifest.counts,
        "languages": manifest.languages,
        "encoder": manifest.encoder["name"],
        "sources": [str(source) for source in directory.absolute(manifest.time["sources"])],
        "generations": directory.generations(),
    }
    _print(value, as_json, show.table)


@app.command()
def verify(index: Index = None, as_json: Json = False) -> None:
    """Check every byte of every generation against what was written."""
    from rag.cli import show
    from rag.config import Settings
    from rag.store import IndexDirectory, verify_generation

    directory = IndexDirectory(Settings.load(index=index).index)
    current = directory.current()
    found = {name: list(verify_generation(directory.folder(name))) for name in directory.generations()}
    found.setdefault(current, [f"{directory.folder(current)} is missing"])
    broken = [said for damage in found.values() for said in damage]
    value = {"ok": not broken, "current": current, "generations": found}
    _print(value, as_json, show.verified)
    if broken:
        raise IndexCorruptError(f"{'; '.join(broken)}.")


@app.command()
def rollback(
    generation: Annotated[str | None, typer.Argument(help="As `rag status` names it.")] = None,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Return to an earlier generation: by default the newest whole one before the current."""
    from rag.cli import show
    from rag.config import Settings
    from rag.store import IndexDirectory, verify_generation

    directory = IndexDirectory(Settings.load(index=index).index)
    if not directory.generations():
        raise IndexMissingError(f"There is no index in {directory.path}; build one with `rag build`.")
    with directory.lock():
        names = directory.generations()
        try:
            current = directory.current()
        except (IndexCorruptError, IndexMissingError):
            current = None
        if generation is None:
            before = names[: names.index(current)] if current in names else names
            whole = (n for n in reversed(before) if not any(verify_generation(directory.folder(n))))
            generation = next(whole, None)
        if generation is None:
            raise IndexMissingError(
                f"{directory.path} has no whole generation before {current or 'the current'} (there "
                f"are: {', '.join(names)}); name another, or run `rag build SEEDS --fresh`."
            )
        if generation not in names:
            known = ", ".join(names) or "none"
            raise IndexMissingError(f"There is no generation {generation!r}; there are: {known}.")
        damage = next(verify_generation(directory.folder(generation)), None)
        if damage:
            raise IndexCorruptError(f"{generation} cannot be returned to: {damage}.")
        directory.point_to(generation)
    _print({"generation": generation, "before": current}, as_json, show.table)


@app.command()
def doctor(
    index: Index = None,
    backend: Annotated[
        str | None, typer.Option(help="Probe this backend instead, and remember what is found.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for the usual troubles: model, cache, torch, index, stale seeds; or what a backend does."""
    from rag.cli import show
    from rag.cli.doctor import examine
    from rag.config import Settings

    settings = Settings.load(index=index)
    value: dict[str, Any] = {}
    if backend is None:
        checks = examine(settings)
    else:
        from rag.cli.backend import examine_backend

        checks, known = examine_backend(backend, settings)
        value["backend"] = known and asdict(known)
    value["checks"] = [asdict(check) for check in checks]
    _print(value, as_json, show.checks)
    if not all(check.ok for check in checks):
        sys.exit(1)


def _asked(
    question: str | None,
    batch: Path | None,
    where: list[str] | None,
    read: Callable[[Path], Any],
) -> Any:
    if (question is None) == (batch is None):
        raise typer.BadParameter("give a question, or --batch FILE")
    if batch is not None and where:
        raise typer.BadParameter("a batch line carries its own filter; leave --filter out")
    if question is not None and not question.strip():
        raise QuestionError("The question is empty.")
    return read(batch) if batch is not None else []


def _print(value: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], str]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2) if as_json else show(value), flush=True)


def _line(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
