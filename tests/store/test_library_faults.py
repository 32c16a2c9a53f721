"""Kills, crowds, full disks and wrong folders: a library stays whole and says what is wrong."""

import multiprocessing
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.factories.timelines import make_embeddings, make_space, make_thumbs, make_timeline

from mastershot.core.errors import LibraryError
from mastershot.core.timeline import Timeline
from mastershot.store.lance import LanceTables
from mastershot.store.library import Library
from mastershot.store.tables import TABLES_OF_A_RUN
from mastershot.store.verify import find_problems

SPACE = make_space()
OLD = make_timeline(steps={"shots": {"detector": "content"}})
NEW = make_timeline(shot_frames=(60, 60), scene_shots=(1, 1), steps={"shots": {"threshold": 20}})
OTHER = make_timeline("other.mp4")
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["lancedb", "pyarrow", "mastershot.store.library"])


def fill(library: Library, timeline: Timeline) -> None:
    """Add a film as an analysis does: vectors first, then the timeline."""
    library.features(timeline.movie.id).put(make_embeddings(SPACE, range(0, 120, 10)))
    library.put_timeline(timeline, make_thumbs(timeline))


def work(path: Path) -> None:
    """Do what writes: make a library, add, replace, remove."""
    library = Library(path, create=True)
    fill(library, OLD)
    fill(library, OTHER)
    fill(library, NEW)
    library.remove(OTHER.movie.id)


def dump_after(work: Callable[[Path], None], path: Path) -> dict[str, list[dict[str, Any]]]:
    work(path)
    return Library(path).dump()


def start_child(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    child = CHILDREN.Process(target=target, args=arguments)
    child.start()
    return child


def finish(child: BaseProcess) -> int | None:
    child.join(60)
    assert child.exitcode is not None, "the child hangs"
    return child.exitcode


def assert_readable(path: Path) -> None:
    """Whatever was killed, a film is there whole, as some run left it, or not at all."""
    try:
        library = Library(path)
    except LibraryError:
        assert not (path / "library.json").exists()
        return
    for movie in library.movies():
        assert library.timeline(movie.id) in (OLD, NEW, OTHER)
        assert library.thumb(f"{movie.id}/00000") is not None


def test_after_kills_at_random_moments_the_library_equals_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    expected = dump_after(work, tmp_path / "undisturbed.mastershot")
    assert finish(start_child(os.getpid)) == 0  # starts the server of children
    started = time.perf_counter()
    assert finish(start_child(work, tmp_path / "timed.mastershot")) == 0
    duration_s = time.perf_counter() - started
    rng, num_killed, path = random.Random(20), 0, tmp_path / "films.mastershot"
    for _ in range(40):
        child = start_child(work, path)
        time.sleep(rng.uniform(0, 0.9 * duration_s))
        child.kill()
        num_killed += finish(child) == -signal.SIGKILL
        assert_readable(path)
        if num_killed % 4 == 3:
            assert dump_after(work, path) == expected
            shutil.rmtree(path)
        if num_killed == 10:
            break
    assert dump_after(work, path) == expected
    assert {problem.kind for problem in find_problems(Library(path))} == {"file"}
    assert num_killed == 10


class Killed(BaseException):
    """Stands for a kill between two writes."""


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the n-th write from now on, counted from 1, raise `Killed` instead."""
    left = [0]

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return write(*arguments, **options)

        return step

    for name in ("create", "append", "upsert", "delete"):
        monkeypatch.setattr(LanceTables, name, counted(getattr(LanceTables, name)))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    return lambda number: left.__setitem__(0, number)


def add_old(path: Path) -> None:
    fill(Library(path, create=True), OLD)


def replace_old(path: Path) -> None:
    Library(path).put_timeline(NEW, make_thumbs(NEW))


def swap_old(path: Path) -> None:
    library = Library(path)
    if library.find(OLD.movie.id) is not None:
        library.remove(OLD.movie.id)
    library.put_timeline(OTHER, make_thumbs(OTHER))


@pytest.mark.parametrize("change", [add_old, replace_old, swap_old])
def test_a_change_stopped_before_any_of_its_writes_is_made_whole_by_the_next(
    change: Callable[[Path], None], tmp_path: Path, stop_at: Callable[[int], None]
) -> None:
    before, path = tmp_path / "before.mastershot", tmp_path / "films.mastershot"
    if change is not add_old:
        add_old(before)
        shutil.copytree(before, path)
    expected = dump_after(change, path)
    stopped, number = True, 0
    while stopped:
        shutil.rmtree(path)
        if before.exists():
            shutil.copytree(before, path)
        number += 1
        stop_at(number)
        with suppress(Killed):
            change(path)
            stopped = False
        stop_at(0)
        assert_readable(path)
        if change is replace_old:
            assert Library(path).find(OLD.movie.id) is not None
        found = dump_after(change, path)
        for table in (*TABLES_OF_A_RUN, "movies"):
            assert found[table] == expected[table], f"{table}, stopped at write {number}"
    assert number > 10


def test_processes_that_add_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    children = [start_child(add_each, path, names) for names in ("abx", "xcb")]
    assert [finish(child) for child in children] == [0, 0]
    alone = tmp_path / "alone.mastershot"
    add_each(alone, "abcx")
    assert Library(path).dump() == Library(alone).dump()
    assert {problem.kind for problem in find_problems(Library(path))} == {"file"}


def add_each(path: Path, names: str) -> None:
    library = Library(path, create=True)
    for name in names:
        fill(library, make_timeline(name))


def test_no_lock_outlives_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    Library(path, create=True)
    child = start_child(hold, path)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    child.kill()
    finish(child)
    fill(Library(path), OLD)


def hold(path: Path) -> None:
    with Library(path).tables.writing():
        (path.parent / "held").touch()
        time.sleep(60)


def in_child(act: Callable[[Path], None], path: Path) -> str:
    """Return the error sentence of an action in a process of its own."""
    receiver, sender = CHILDREN.Pipe(duplex=False)
    child = start_child(tell, act, path, sender)
    finish(child)
    return str(receiver.recv())


def tell(act: Callable[[Path], None], path: Path, sender: Connection) -> None:
    try:
        act(path)
        sender.send("no error")
    except LibraryError as error:
        sender.send(str(error))


def add_on_a_full_disk(path: Path) -> None:
    library = Library(path)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
    library.put_timeline(NEW, {NEW.shots[0].id: random.randbytes(10_000)})


def test_a_disk_that_takes_no_more_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    expected = dump_after(add_old, path)
    sentence = in_child(add_on_a_full_disk, path)
    assert sentence == f"library {path} cannot be written: table shots: File too large"
    assert_readable(path)
    assert dump_after(add_old, path) == expected


def add_without_permission(path: Path) -> None:
    library = Library(path)
    assert library.movies()[0].id == OLD.movie.id
    NEW.to_json()  # The schema, read once: Python's own folder may be closed to another user.
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 65534)
    library.put_timeline(NEW)


def read_without_permission(path: Path) -> None:
    library = Library(path)
    for table in path.glob("movies.lance/*/*"):
        table.chmod(0)
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 65534)
    library.movies()


@pytest.fixture
def foreign_library() -> Iterator[Path]:
    """A library that only its owner may write, in a folder that others may enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "films.mastershot"
        add_old(path)
        for inner in (path, *path.rglob("*")):
            inner.chmod(0o555 if inner.is_dir() else 0o444)
        yield path
        for inner in (path, *path.rglob("*")):
            inner.chmod(0o755)


def test_a_library_that_may_not_be_written_is_read_and_says_so(foreign_library: Path) -> None:
    sentence = in_child(add_without_permission, foreign_library)
    assert sentence == f"library {foreign_library} cannot be written: Permission denied"


def test_a_table_that_may_not_be_read_is_one_sentence(foreign_library: Path) -> None:
    sentence = in_child(read_without_permission, foreign_library)
    assert sentence.startswith(f"library {foreign_library} cannot be read: table movies: ")
    assert sentence.endswith("Permission denied")


def test_a_lost_table_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    add_old(path)
    shutil.rmtree(path / "movies.lance")
    with pytest.raises(LibraryError, match="cannot be read: table movies: Table 'movies' was not"):
        Library(path).movies()


def test_what_cannot_be_kept_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    library = Library(tmp_path / "films.mastershot", create=True)
    wrong = replace(OLD, movie=replace(OLD.movie, id="0" * 16))
    with pytest.raises(LibraryError, match=f"cannot be kept: id '{'0' * 16}' should be"):
        library.put_timeline(wrong)
    no_path = replace(OLD, movie=replace(OLD.movie, path="\ud800.mp4"))
    with pytest.raises(LibraryError, match=r"path '\\ud800\.mp4', which can name no file"):
        library.put_timeline(no_path)
    with pytest.raises(LibraryError, match=r"picture .*00000\.jpg cannot be read: No such file"):
        library.put_timeline(OLD, tmp_path)
    outside = replace(OLD.shots[0], thumb="../secret")
    with pytest.raises(LibraryError, match=r"picture \.\./secret of shot .* lies outside"):
        library.put_timeline(replace(OLD, shots=(outside, *OLD.shots[1:])), tmp_path)
    assert all(not rows for rows in library.dump().values())


def test_the_store_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    work(tmp_path / "films.mastershot")
    Library(tmp_path / "films.mastershot").repair()
    assert capfd.readouterr() == ("", "")
