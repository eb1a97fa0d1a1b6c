"""A backup replaces regular files alone, and those when it is whole."""

import os
import stat
from pathlib import Path

import click
import pytest

from mailsacd.cli.backup_file import destination


def write(name: Path | str, content: bytes = b"new") -> None:
    """Write a backup of that content."""
    with destination(str(name)) as to:
        assert to is not None
        os.write(to.descriptor, content)
        assert to.size() == len(content)


def write_half(name: Path) -> None:
    """Begin a backup by that name, and fail."""
    with destination(str(name)) as to:
        assert to is not None
        os.write(to.descriptor, b"newer")
        raise ZeroDivisionError


def refusal(name: Path | str) -> str:
    """Why there is no backup by that name."""
    with pytest.raises(click.ClickException) as refused:
        write(name)
    assert "\n" not in refused.value.message
    return refused.value.message


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    write(file)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["backup"]


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(b"old")
    with destination(str(file)) as to:
        assert to is not None
        os.write(to.descriptor, b"ne")
        assert file.read_bytes() == b"old"
        os.write(to.descriptor, b"w")
    assert file.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError):
        write_half(file)
    assert file.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["backup"]


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "latest").symlink_to("store/backup")
    for content in (b"first", b"second"):
        write(tmp_path / "latest", content)
        assert (tmp_path / "store" / "backup").read_bytes() == content
    assert (tmp_path / "latest").readlink() == Path("store/backup")


def make_fifo(place: Path) -> Path:
    os.mkfifo(place / "fifo")
    return place / "fifo"


def link_to_device(place: Path) -> Path:
    (place / "link").symlink_to("/dev/null")
    return place / "link"


def link_to_fifo(place: Path) -> Path:
    (place / "link").symlink_to(make_fifo(place).name)
    return place / "link"


def circle_of_links(place: Path) -> Path:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    return place / "a"


def below_a_file(place: Path) -> Path:
    (place / "file").write_bytes(b"")
    return place / "file" / "backup"


NO_PLACES = {
    "a FIFO": (make_fifo, "no regular file"),
    "a device": (lambda _: Path("/dev/full"), "no regular file"),
    "a pipe by its descriptor": (lambda _: Path(f"/dev/fd/{os.pipe()[1]}"), "no regular file"),
    "a link to a device": (link_to_device, "no regular file"),
    "a link to a FIFO": (link_to_fifo, "no regular file"),
    "a circle of links": (circle_of_links, "symbolic links"),
    "a directory": (lambda place: place, "is a directory"),
    "no directory": (lambda place: place / "none" / "backup", "no directory"),
    "below a file": (below_a_file, "ot a directory"),
    "a name that is too long": (lambda place: place / ("x" * 300), "too long"),
    "a directory that takes none": (lambda _: Path("/proc/backup"), "cannot write to"),
    "nothing": (lambda _: "", "is a directory"),
}


@pytest.mark.parametrize(("make", "words"), NO_PLACES.values(), ids=NO_PLACES)
def test_what_is_no_place_for_a_file_is_left_as_it_is(
    tmp_path: Path, make: object, words: str
) -> None:
    assert callable(make)
    place = make(tmp_path)
    before = sorted((entry.name, entry.lstat().st_mode) for entry in tmp_path.iterdir())
    assert words in refusal(place)
    assert sorted((entry.name, entry.lstat().st_mode) for entry in tmp_path.iterdir()) == before


def test_what_comes_into_its_place_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with pytest.raises(click.ClickException, match="no regular file"), destination(str(file)):
        os.mkfifo(file)
    assert stat.S_ISFIFO(file.stat().st_mode)
    assert os.listdir(tmp_path) == ["backup"]
