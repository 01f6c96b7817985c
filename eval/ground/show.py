"""What the measurements say, as people read it."""

from collections.abc import Iterator, Mapping
from typing import Any

from eval.report.shown import interval, number, one_line, signed

Json = Mapping[str, Any]


def table(found: Json) -> str:
    """Show what `ground` found."""
    lines = [
        f"checker {found['checker']}: {found['claims']:,} claims, {found['time']['mean_ms']} ms each "
        f"(95th percentile {found['time']['p95_ms']} ms)"
    ]
    if found["absent"]:
        lines.append(f"not measured on {', '.join(found['absent'])}: name their folder with --data")
    for name, part in found["labelled"].items():
        lines += ["", *_labelled(name, part)]
    lines += ["", f"{'sentences on the seeds':<34} {'n':>5} {'supported':>9}   [95 %]"]
    lines += [f"{name:<34} {_rate(part)}" for name, part in found["rewordings"].items()]
    lines += ["", *_corrupted(found["corruptions"])]
    return "\n".join(lines)


def invented_table(found: Json) -> str:
    """Show what `invented` found."""
    lines = [
        f"{found['backend']}: {found['questions']} questions, {found['answers']} answers, "
        f"{found['sentences']} sentences, {found['verified']} verified, "
        f"{len(found['violations'])} of them tell what their quotes do not hold"
    ]
    for each in found["violations"]:
        lines += [
            "",
            f"{each['question']}",
            f"  says:   {one_line(each['sentence'])}",
            *(f"  quotes: {one_line(quote)}" for quote in each["quotes"]),
            f"  lacks:  {', '.join(each['lacks'])}",
        ]
    return "\n".join(lines)


def _labelled(name: str, part: Json) -> Iterator[str]:
    counted = f"{name}: {part['n']} claims"
    yield f"{counted:<34} AUROC   [95 %]             checker leads by [95 %]"
    for score, each in part["auroc"].items():
        lead = each["lead"]
        ahead = f"{signed(lead['value'])} [{interval(lead, signed)}]" if lead else ""
        yield f"{score:<34} {number(each['value'])}   [{interval(each)}]   {ahead}".rstrip()
    said = part["supported"]
    yield (
        f"called supported: accuracy {number(said['accuracy'])}, "
        f"precision {number(said['precision'])}, recall {number(said['recall'])}, "
        f"false accepts {number(said['false_accepts'])}"
    )
    if part["generic"]["n"]:
        yield f"{'generic responses, supported':<34} {_rate(part['generic'])}"


def _corrupted(parts: Json) -> Iterator[str]:
    yield (
        f"{'corrupted claims':<34} pairs  AUROC   [95 %]             by overlap  ranked  "
        "supported: originals, corrupted"
    )
    for name, each in parts.items():
        original, changed = each["originals_supported"], each["corrupted_supported"]
        yield (
            f"{name:<34} {each['pairs']:>5}  {number(each['auroc']['value'])}   "
            f"{'[' + interval(each['auroc']) + ']':<18} {number(each['overlap']):>10} "
            f"{number(each['ranked']):>7}  {number(original['rate'])} ({original['k']}), "
            f"{number(changed['rate'])} ({changed['k']})"
        )


def _rate(part: Json) -> str:
    return f"{part['n']:>5} {number(part['rate']):>9}   [{interval(part)}]"
