"""How far each program was from TF1 after ten more steps; printed when everything has run."""

FOUND: dict[str, dict[str, float]] = {}


def note(case: str, dialect: str, difference: float) -> None:
    FOUND.setdefault(case, {})[dialect] = difference


def table() -> list[str]:
    dialects = list(dict.fromkeys(name for row in FOUND.values() for name in row))
    width = max(len(case) for case in FOUND)
    lines = [" " * width + "".join(f"{name:>10}" for name in dialects)]
    for case, row in FOUND.items():
        cells = (f"{row[name]:10.1e}" if name in row else " " * 10 for name in dialects)
        lines.append(f"{case:{width}}" + "".join(cells))
    return lines
