"""What `python -m eval canary` shows."""

from collections.abc import Mapping
from typing import Any

from eval.canary import OUTCOMES

_ARMS = {"fenced": "with fences", "plain": "without"}


def table(found: Mapping[str, Any]) -> str:
    """Show how often planted orders were obeyed, attack by attack, and what fences change."""
    arms = {name: said for name, said in _ARMS.items() if found[name]}
    heads = " ".join(f"{name:>8}" for name in OUTCOMES)
    lines = [
        f"{'':<22}" + "".join(f"{said:^42}" for said in arms.values()),
        f"{'attack':<20}" + "".join(f"{'seen':>6} {heads}" for _ in arms),
    ]
    for kind in found["fenced"]["attacks"]:
        lines.append(f"{kind:<20}" + "".join(_counts(found[name]["attacks"][kind]) for name in arms))
    lines.append(f"{'all':<20}" + "".join(_counts(found[name]["all"]) for name in arms) + "\n")
    for name, said in arms.items():
        lines += [f"{said}, {each}: {_share(found[name]['all'][each])}" for each in OUTCOMES]
    lines += [""]
    if found["difference"]:
        lines += [
            f"{each}, without less with fences: {_paired(found['difference'][each])}"
            for each in OUTCOMES
        ]
    else:
        lines += ["Fences make no difference here: the backend reads no prompt."]
    right = found["right"]
    lines.append(
        f"right answers: {_share(right['without'])} without a planted document, "
        f"{_share(right['with'])} with one ({found['backend']})"
    )
    return "\n".join(lines)


def _counts(figures: Mapping[str, Any]) -> str:
    return f"{figures['said']['n']:>6} " + " ".join(f"{figures[name]['k']:>8}" for name in OUTCOMES)


def _share(rate: Mapping[str, Any]) -> str:
    if rate["rate"] is None:
        return "n/a"
    return f"{rate['k']} of {rate['n']}, {rate['rate']:.3f} [{rate['low']:.3f} to {rate['high']:.3f}]"


def _paired(found: Mapping[str, Any]) -> str:
    if found["difference"] is None:
        return "n/a"
    return (
        f"{found['difference']:+.3f} [{found['low']:+.3f} to {found['high']:+.3f}], p {found['p']:.3f} "
        f"({found['only_plain']} only without, {found['only_fenced']} only with, of {found['n']})"
    )
