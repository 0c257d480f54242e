"""Run benchmarks from the terminal: `python -m benchmarks [NAME ...]`, `--list` for their names.

Here: arguments, one JSON line per figure on the terminal, the same lines in `bench.jsonl` of the warehouse
folder (those of the latest run). Not here: what a benchmark is (`benchmarks.registry`).
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.registry import load_benchmarks
from f1_pipeline.errors import F1PipelineError
from f1_pipeline.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks named, all of them when none is.

    Parameters
    ----------
    arguments
        Command-line arguments; those of the process when None.

    Returns
    -------
    int
        0, or 2 when the request is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time the parts that must be fast.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args(arguments)
    available = load_benchmarks()
    if options.list:
        print("\n".join(available))
        return 0
    unknown = [name for name in options.names if name not in available]
    if unknown:
        print(f"Unknown benchmark {', '.join(unknown)}: expected {', '.join(available)}.", file=sys.stderr)
        return 2
    try:
        folder = load_settings().warehouse_dir
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "bench.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for name in options.names or available:
                measured = available[name]()
                for figure in measured if isinstance(measured, list) else [measured]:
                    print(figure.to_json(), flush=True)
                    file.write(figure.to_json() + "\n")
                    file.flush()
    except F1PipelineError as error:
        print(f"Benchmark failed: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
