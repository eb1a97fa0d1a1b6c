"""Compares how mailsacd reads messages with how parsers do that are not its own.

They are Python's `email`, postal-mime and mailparser of npm, and Rust's mail-parser where cargo is
installed.

python -m tests.differential FOLDER          the messages in a folder, and the folders in it
python -m tests.differential --mutants 2000  our own samples, broken a little
"""

import argparse
import sys
from pathlib import Path

from tests.differential.mutants import SAMPLES, many
from tests.differential.parsers import parsers
from tests.differential.report import by_kind, table


def main() -> int:
    """The command line; the exit status is 1 where something is not accounted for."""
    options = _options()
    if options.mutants:
        messages = {f"mutant {n}": each for n, each in enumerate(many(options.mutants), start=1)}
    elif options.folder:
        messages = _messages(options.folder)
    else:
        messages = {path.name: path.read_bytes() for path in SAMPLES}
    with parsers() as found:
        if "mail-parser" not in found:
            print("cargo is not installed: Rust's mail-parser is left out")
        differences = by_kind(found, messages)
        print(f"{len(messages)} messages, read by mailsacd and {', '.join(found)}")
        for line in table(found, differences, every=options.kind):
            print(line)
    unknown = [kind for kind in differences if kind.startswith("!")]
    if unknown:
        print("two parsers or more disagree with mailsacd, and it is not accounted for: see !")
    return 1 if unknown else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path,
        help="its *.eml files, or all files where there are none (default: our own samples)",
    )  # fmt: skip
    parser.add_argument("--mutants", type=int, metavar="N", help="so many mutants of our samples")
    parser.add_argument("--kind", metavar="KIND", help="show every difference of this kind")
    return parser.parse_args()


def _messages(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    mail = [path for path in files if path.suffix == ".eml"] or files
    if not mail:
        sys.exit(f"there are no messages in {folder}")
    return {str(path.relative_to(folder)): path.read_bytes() for path in mail}


if __name__ == "__main__":
    sys.exit(main())
