"""What the containers of a film's reels state together, and why some files are not one film."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import gcd
from pathlib import Path
from typing import TypeAlias

from mastershot.core.errors import MediaError
from mastershot.core.movie import Movie
from mastershot.media.probe import FilmFile, probe

Paths: TypeAlias = str | Path | Sequence[str | Path]

# Containers round rates: 2997/125 is 24000/1001, but 24 is not.
_RATE_TOLERANCE = Fraction(1, 5000)
# Beyond that, what a container states as its mean rate is not its nominal rate rounded.
_MEAN_TOLERANCE = Fraction(1, 100)
# A nanosecond, the finest unit of Matroska: 290 years of them fit into 64 bits.
_FINEST_S = Fraction(1, 10**9)


def probe_film(paths: Paths, *, stream: int | None = None) -> FilmFile:
    """Return what `probe` does of one file, or of the files of one film, in the order given.

    Raises:
        MediaError: A file cannot be read, or they cannot be one film: see `join_files`.
    """
    if isinstance(paths, str | Path):
        return probe(paths, stream=stream)
    if not paths:
        raise MediaError("a film needs at least one file; name its reels in their order")
    if len(paths) == 1:
        return probe(paths[0], stream=stream)
    files = []
    for number, path in enumerate(paths, start=1):
        try:
            files.append(probe(path, stream=stream))
        except MediaError as error:
            raise MediaError(f"reel {number} of {len(paths)}: {error}") from error
    return join_files(files)


def join_files(files: Sequence[FilmFile]) -> FilmFile:
    """Return the facts of the film that lies in these files, at least two, in this order.

    Its path is that of the first, its content hash is made of theirs, in order, and its time base
    is the coarsest in which the times of all are whole numbers.

    Raises:
        MediaError: They have other frame rates or picture sizes, or no common time base.
    """
    _require_one_size(files)
    rate = _common_rate(files)
    hashes = "\n".join(file.content_hash for file in files)
    digest = hashlib.blake2b(f"reels\n{hashes}".encode(), digest_size=16).hexdigest()
    stated = [file.stated_frames for file in files]
    notices = dict.fromkeys(file.copyright for file in files if file.copyright)
    return replace(
        files[0],
        content_hash=f"blake2b:{digest}",
        nominal_rate=rate,
        mean_rate=_mean_rate(files),
        time_base=_common_time_base(files, rate),
        has_audio=any(file.has_audio for file in files),
        stated_frames=sum(filter(None, stated)) if all(stated) else None,
        stated_end_s=None,
        held_until_s=None,
        version=None,
        notes=_repeated(files),
        copyright="\n".join(notices),
        reels=tuple(files),
    )


def named(number: int, file: FilmFile | Movie) -> str:
    """Return how a sentence calls a reel, which counts from 0."""
    return f"reel {number + 1} ({Path(file.path).name})"


def require_same_rate(
    number: int, rate: Fraction, first: int, expected: Fraction, files: Sequence[FilmFile]
) -> None:
    """Refuse a reel of another frame rate than the first reel of a constant rate.

    Raises:
        MediaError: It has another one.
    """
    if abs(rate / expected - 1) > _RATE_TOLERANCE:
        raise MediaError(
            f"{named(number, files[number])} has {_rate(rate)} frames a second, but "
            f"{named(first, files[first])} has {_rate(expected)}; the reels of a film have one "
            "frame rate: convert one of them, or analyse them without --as-one"
        )


def _common_rate(files: Sequence[FilmFile]) -> Fraction | None:
    """Return the nominal rate of the reels that state a constant one, else the first's."""
    constant = [
        (number, file.nominal_rate)
        for number, file in enumerate(files)
        if file.nominal_rate
        and file.mean_rate
        and abs(file.mean_rate / file.nominal_rate - 1) < _MEAN_TOLERANCE
    ]
    if not constant:
        return files[0].nominal_rate
    first, expected = constant[0]
    for number, rate in constant[1:]:
        require_same_rate(number, rate, first, expected, files)
    return expected


def _mean_rate(files: Sequence[FilmFile]) -> Fraction | None:
    """Return the mean rate over all reels, where each states its own and its frames."""
    known = [(file.mean_rate, file.stated_frames) for file in files]
    if len({rate for rate, _ in known}) == 1 or not all(rate and frames for rate, frames in known):
        return next((rate for rate, _ in known if rate), None)
    total_s = sum(Fraction(frames or 0) / rate for rate, frames in known if rate)
    return sum(frames or 0 for _, frames in known) / Fraction(total_s)


def _common_time_base(files: Sequence[FilmFile], rate: Fraction | None) -> Fraction:
    """Return the largest unit of which all time bases, and the length of a frame, are multiples.

    With the latter a reel is as long as its frames, however coarsely its container counts: rounded
    to milliseconds, fifty reels would add up to a frame.
    """
    bases = [file.time_base for file in files]
    base = reduce(_common_measure, bases)
    if base < _FINEST_S:
        other = next(one for one in bases if _common_measure(bases[0], one) < bases[0])
        raise MediaError(
            f"the times of {files[0].path} and of the other reels cannot be counted in one unit: "
            f"their time bases are {bases[0]} s and {other} s; remux the reels to one container"
        )
    if rate and (finer := _common_measure(base, 1 / rate)) >= _FINEST_S:
        return finer
    return base


def _common_measure(one: Fraction, other: Fraction) -> Fraction:
    shared = gcd(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(shared, one.denominator * other.denominator)


def _require_one_size(files: Sequence[FilmFile]) -> None:
    first = files[0]
    for number, file in enumerate(files):
        sizes = [f"{one.width_px}×{one.height_px} pixels" for one in (file, first)]
        pixels = [one.sample_aspect_ratio for one in (file, first)]
        if sizes[0] == sizes[1] and pixels[0] != pixels[1]:
            sizes = [f"pixels of {one.numerator}:{one.denominator}" for one in pixels]
        if sizes[0] != sizes[1]:
            raise MediaError(
                f"{named(number, file)} has {sizes[0]}, but {named(0, first)} has {sizes[1]}; the "
                "reels of a film have one picture size: scale one of them, or analyse them without "
                "--as-one"
            )


def _repeated(files: Sequence[FilmFile]) -> tuple[str, ...]:
    """Return a note for each reel that is the same file as one before."""
    seen: dict[str, int] = {}
    notes = []
    for number, file in enumerate(files):
        before = seen.setdefault(file.content_hash, number)
        if before != number:
            notes.append(
                f"{named(number, file)} is the same file as {named(before, files[before])}; if "
                "that is not meant, check the order of the reels"
            )
    return tuple(notes)


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
