"""What a reader may do with an input, and who makes the inputs."""

import contextlib
import dis
import hashlib
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from types import TracebackType

import tdafeat
from tdafeat.errors import TdafeatError

CORPUS = Path(__file__).parent / "corpus"
PACKAGE = str(Path(tdafeat.__file__).parent)
ROOM = 2**31  # bytes of address space a reader may take beyond what the process has
BATCH = 2000  # inputs that hypothesis remembers at a time


class Undocumented(AssertionError):
    """A reader let out an error that its documentation does not name."""


@dataclass(frozen=True)
class Target:
    """A reader, and valid inputs for it.

    Attributes
    ----------
    read : ``read(content, place)`` reads the content; `place` is a folder it may write to.
    make : makes the valid inputs.
    mutate : damages one, knowing the format.
    documented : errors the reader may raise.
    """

    name: str
    read: Callable[[bytes, Path], None]
    make: Callable[[], list[bytes]]
    mutate: Callable[[bytes, Random], bytes]
    documented: tuple[type[Exception], ...] = (TdafeatError,)

    @cached_property
    def seeds(self) -> list[bytes]:
        return self.make()

    def check(self, content: bytes, place: Path) -> bool:
        """Whether the input was read; what comes out must be documented, and raised by tdafeat."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.read(content, place)
        except self.documented as error:
            if not is_own(error.__traceback__) or not str(error).strip():
                raise Undocumented(f"{self.name}: not raised by tdafeat: {error!r}") from error
            return False
        except Exception as error:
            raise Undocumented(f"{self.name}: {error!r}") from error
        return True

    def corpus(self) -> list[Path]:
        """Inputs that once failed."""
        return sorted((CORPUS / self.name).glob("*"))

    def keep(self, content: bytes) -> Path:
        """Put a failing input into the corpus."""
        path = CORPUS / self.name / hashlib.sha256(content).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def is_own(trace: TracebackType | None) -> bool:
    """Whether the error was raised by a ``raise`` in tdafeat, and not by a library beneath it."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    raises = code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return raises and code.co_filename.startswith(PACKAGE)


def drive(target: Target, inputs: int, seed: int, place: Path) -> int:
    """Read so many damaged inputs made by hypothesis; how many of them were taken for valid.

    Raises
    ------
    Undocumented for the first that fails, shrunk; it is in the corpus then.
    """
    import hypothesis
    from hypothesis import strategies

    taken = 0
    last = b""

    def one(rng: Random) -> None:
        nonlocal taken, last
        last = target.mutate(rng.choice(target.seeds), rng)
        taken += target.check(last, place)

    for start in range(0, inputs, BATCH):
        settings = hypothesis.settings(
            max_examples=min(BATCH, inputs - start),
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        given = hypothesis.given(strategies.randoms(use_true_random=False))
        try:
            settings(hypothesis.seed(seed + start)(given(one)))()
        except Undocumented as error:
            raise Undocumented(f"{error}; kept as {target.keep(last)}") from error
    return taken


@contextlib.contextmanager
def bounded(room: int = ROOM) -> Iterator[None]:
    """A limit on the address space, so that a reader that takes too much fails; Linux alone."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource  # not on Windows

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
