"""Fuzzing by hand: ``python -m tests.fuzz NAME --inputs 100000``; without NAME, all targets."""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from random import Random


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    given = parser.parse_args()
    seen = contextlib.nullcontext()
    if given.engine == "atheris":
        import atheris

        seen = atheris.instrument_imports(include=["tdafeat"])
    with seen:
        from tests.fuzz.targets import TARGETS
    if unknown := set(given.names) - set(TARGETS):
        parser.error(f"no target {unknown.pop()!r}; there are {', '.join(TARGETS)}")
    if given.engine == "atheris" and len(given.names) != 1:
        parser.error("atheris takes one NAME at a time")
    for name in given.names or TARGETS:
        with tempfile.TemporaryDirectory(prefix="tdafeat-fuzz-") as folder:
            search = led_by_coverage if given.engine == "atheris" else by_hypothesis
            search(TARGETS[name], given.inputs, given.seed, Path(folder))
    return 0


def by_hypothesis(target, inputs: int, seed: int, place: Path) -> None:
    import psutil

    from tests.fuzz.harness import bounded, drive

    for content in target.seeds:  # loads what the reader needs
        target.check(content, place)
    process = psutil.Process()
    before, began = process.memory_info().rss, time.monotonic()
    with bounded():
        taken = drive(target, inputs, seed, place)
    grown = (process.memory_info().rss - before) / 1e6
    print(
        f"{target.name}: {inputs:,} inputs in {time.monotonic() - began:.0f} s, {taken:,} taken "
        f"for valid, {grown:,.0f} MB more than before",
        flush=True,
    )


def led_by_coverage(target, inputs: int, seed: int, place: Path) -> None:
    """Does not return: libFuzzer ends the process, with 0 if nothing was found."""
    import atheris

    start = place / "start"
    start.mkdir()
    for number, content in enumerate((*target.seeds, *(p.read_bytes() for p in target.corpus()))):
        (start / str(number)).write_bytes(content)

    def read(content: bytes) -> None:
        try:
            target.check(content, place)
        except AssertionError:
            print(f"kept as {target.keep(content)}", file=sys.stderr)
            raise

    def mutate(content: bytes, most: int, state: int) -> bytes:
        return target.mutate(content, Random(state))[:most]

    options = [f"-runs={inputs}", f"-seed={seed + 1}", "-max_len=200000", "-rss_limit_mb=4096"]
    options += ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={place}/"]
    atheris.Setup([target.name, *options, str(start)], read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
