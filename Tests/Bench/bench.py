"""What the platform costs, beside other software in the same run. Prints a table and writes .build/bench.json.

Each row is a ratio: the median over alternating pairs of ours and the peer's, so that what else the machine does meets both.
Absolute numbers depend on the machine; they stand in `samples` and are not claimed. Names of parts (`bench.py builds`) measure
only those.
"""

import json
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/JourneyTests"), str(ROOT / "Tests/Bench")]
os.environ.setdefault("JOURNEY_BINARY", str(ROOT / ".build/release/moor"))

import builds  # noqa: E402
import kills  # noqa: E402
import many_apps  # noqa: E402
import push_to_live  # noqa: E402
import requests_per_second  # noqa: E402
from support.platform import Platform, wait_for  # noqa: E402


def row(name, pairs, peer, aim, better, unit):
    """`pairs` are (ours, the peer's), in `unit`."""
    return {
        "name": name,
        "ratio": round(statistics.median(ours / theirs for ours, theirs in pairs), 3),
        "aim": aim,
        "better": better,
        "samples": [{"ours": round(ours, 4), "peer": round(theirs, 4), "unit": unit} for ours, theirs in pairs],
        "peer": peer,
    }


def meets(row):
    return row["ratio"] <= row["aim"] if row["better"] == "lower" else row["ratio"] >= row["aim"]


def show(rows):
    width = max(len(row["name"]) for row in rows)
    print(f"\n{'':{width}}  {'ratio':>7}  {'aim':>6}  {'ours':>10}  {'peer':>10}  pairs")
    for row in rows:
        ours, peer = (statistics.median(sample[side] for sample in row["samples"]) for side in ("ours", "peer"))
        sign = "≤" if row["better"] == "lower" else "≥"
        digits = 2 if row["samples"][0]["unit"] == "s" else 0
        print(
            f"{row['name']:{width}}  {row['ratio']:7.2f}  {sign} {row['aim']:<4}  {ours:10.{digits}f}  {peer:10.{digits}f}"
            f"  {len(row['samples'])} ({row['samples'][0]['unit']}){'' if meets(row) else '  misses its aim'}"
        )


def main():
    scratch = pathlib.Path(os.environ["JOURNEY_SCRATCH"])
    platform = Platform(scratch, "bench", environment={"MOOR_LOG_LEVEL": "warning"})
    rows = []
    try:
        platform.start()
        wait_for(lambda: "base image: ready" in platform.log(), "the base image", 300)
        for part in [globals()[name] for name in sys.argv[1:]] or [push_to_live, requests_per_second, builds, kills, many_apps]:
            for name, peer, aim, better, pairs, unit in part.measure(platform, scratch):
                rows.append(row(name, pairs, peer, aim, better, unit))
    finally:
        platform.remove()
    show(rows)
    target = ROOT / ".build/bench.json"
    target.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"\nwritten to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
