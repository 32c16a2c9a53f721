"""Make the film that `mastershot analyze --demo` shows, of freely licensed films and photographs.

    apt-get download lomiri-wallpapers-16.04 sonic-pi-samples
    for package in *.deb; do dpkg-deb -x $package parts; done
    pip download --no-deps scikit-image==0.26.0 scikit-learn==1.6.1
    for package in *.whl; do unzip -oq $package -d parts; done
    python bench/demo_film.py FILMS parts src/mastershot/apps/demo/demo.mp4

For the picture in README.md:

    mastershot analyze --demo --out OUT
    chromium --headless --hide-scrollbars --window-size=1200,2300 --screenshot=report.png \\
        OUT/demo/report.html
    python -c "from PIL import Image; page = Image.open('report.png').convert('RGB');
    page.resize((1000, 1917)).save('docs/demo_report.jpg', quality=80, optimize=True)"

FILMS holds `big_buck_bunny_480p_30s.mp4` and `sintel/sintel_183_186.mp4` (640×272). The speech is
synthesised by espeak-ng, the wind by this script. Photographs become shots by a camera that moves
over them. The same sources give the same frames and sound; the bytes follow from the encoders.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, zip_longest
from pathlib import Path

import av
import cv2
import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.write import Encoding, Sound, write_frames

WIDTH_PX, HEIGHT_PX, FRAME_RATE, SOUND_RATE_HZ = 640, 360, 24, 44_100
ENCODING = Encoding(quality=26, preset="medium", b_frames=3, keyframe_interval=120)
EDGE_S = 0.04
"""Over which each sound rises and falls, so that a cut makes no click."""

BUNNY, SINTEL = "big_buck_bunny_480p_30s.mp4", "sintel/sintel_183_186.mp4"
LOMIRI = "usr/share/backgrounds"
SAMPLES = "usr/share/sonic-pi/samples"

CREDITS = (
    "Demo film of Mastershot, cut from the works below; each stays under its own licence. "
    "Changed: all were cut, cropped to 16:9 and scaled to 640×360; photographs were turned into "
    "moving shots; sounds were shortened and mixed. Speech and wind are synthetic.",
    "0–12 s: pictures and sound of Big Buck Bunny, © 2008 Blender Foundation, "
    "www.bigbuckbunny.org, CC BY 3.0, https://creativecommons.org/licenses/by/3.0/",
    "12–23.5 s and 40–44.5 s: photographs “life”, “aitzgorri”, “picosdeeuropa” and “sunset” by "
    "Aitzol Berasategi, 2018; 30.5–34 s: photograph “Wine” by Jakub Mede, 2018; from Lomiri "
    "Wallpapers, https://gitlab.com/ubports/development/core/lomiri-wallpapers, CC BY 4.0, "
    "https://creativecommons.org/licenses/by/4.0/",
    "23.5–27 s: pictures of Sintel, © Blender Foundation, www.sintel.org, CC BY 3.0, "
    "https://creativecommons.org/licenses/by/3.0/",
    "27–30.5 s: photograph of a tower by danielbuechele, "
    "https://www.flickr.com/photos/danielbuechele/6061409035/, CC BY 2.0, "
    "https://creativecommons.org/licenses/by/2.0/",
    "34–37 s: photograph of a launch pad by SpaceX, "
    "https://www.flickr.com/photos/spacexphotos/16511594820/; 37–40 s: portrait of Eileen Collins "
    "by NASA, https://flic.kr/p/r9qvLn; both in the public domain.",
    "Sounds from freesound.org of water (hullum, 415551), a bell (AlaskaRobotics, 221515), drums "
    "(lezaarth, 242591) and a guitar (Sub-d, 46992): CC0 1.0, "
    "https://creativecommons.org/publicdomain/zero/1.0/",
)


@dataclass(frozen=True)
class Footage:
    """A run of frames of a film, from a time on."""

    file: str
    start_s: float


@dataclass(frozen=True)
class Photograph:
    """A photograph and the camera's path over it.

    A view is (left, top, width) in shares of the photograph's width; its height follows from 16:9.
    """

    file: str
    first_view: tuple[float, float, float]
    last_view: tuple[float, float, float]


@dataclass(frozen=True)
class Shot:
    """A shot of the film; over `dissolve_s` it is mixed with the end of the one before."""

    source: Footage | Photograph
    length_s: float
    dissolve_s: float = 0.0


SHOTS = (
    Shot(Footage(BUNNY, 5.0), 4.0),
    Shot(Footage(BUNNY, 12.3), 2.5),
    Shot(Footage(BUNNY, 15.75), 3.5),
    Shot(Footage(BUNNY, 23.2), 2.0),
    Shot(Photograph(f"{LOMIRI}/life_by_Aitzol_Berasategi.jpg", (0, 0, 1), (0.1, 0.05, 0.8)), 3.0),
    Shot(
        Photograph(f"{LOMIRI}/life_by_Aitzol_Berasategi.jpg", (0.3, 0.3, 0.5), (0.3, 0.1, 0.5)),
        3.0,
        dissolve_s=0.5,
    ),
    Shot(
        Photograph(f"{LOMIRI}/aitzgorri_by_Aitzol_Berasategi.jpg", (0, 0, 0.8), (0.2, 0, 0.8)), 3.0
    ),
    Shot(
        Photograph(
            f"{LOMIRI}/picosdeeuropa_by_Aitzol_Berasategi.jpg", (0, 0.02, 1), (0.3, 0.1, 0.66)
        ),
        3.0,
    ),
    Shot(Footage(SINTEL, 2.8), 3.5),
    Shot(Photograph("sklearn/datasets/images/china.jpg", (0, 0.09, 1), (0.02, 0, 0.88)), 3.5),
    Shot(Photograph(f"{LOMIRI}/Wine_by_Jakkub_Mede.jpg", (0, 0.12, 1), (0, 0.28, 1)), 3.5),
    Shot(Photograph("skimage/data/rocket.jpg", (0, 0.1, 1), (0.1, 0, 0.85)), 3.0),
    Shot(Photograph("skimage/data/astronaut.png", (0, 0, 1), (0.08, 0, 0.8)), 3.0),
    Shot(
        Photograph(f"{LOMIRI}/sunset_by_Aitzol_Berasategi.jpg", (0, 0.06, 0.85), (0.15, 0.1, 0.85)),
        4.5,
    ),
)


@dataclass(frozen=True)
class Heard:
    """A sound: from the start of one shot to the end of another, a file's, or words, or wind.

    Shots are counted from 1; `delay_s` is the time before the sound starts.
    """

    first_shot: int
    last_shot: int
    file: str = ""
    words: str = ""
    start_s: float = 0.0
    delay_s: float = 0.0
    level: float = 1.0


SOUNDS = (
    *(
        Heard(number, number, file=BUNNY, start_s=SHOTS[number - 1].source.start_s)
        for number in range(1, 5)
    ),
    Heard(5, 6, file=f"{SAMPLES}/ambi_sauna.flac", start_s=1.0, level=0.8),
    Heard(7, 8, words="A valley in autumn. Above it, the mountains still carry snow.", delay_s=0.4),
    Heard(9, 9, level=0.6),
    Heard(10, 10, file=f"{SAMPLES}/perc_bell.flac", delay_s=0.2, level=0.8),
    Heard(11, 11, file=f"{SAMPLES}/loop_tabla.flac", level=0.8),
    Heard(
        12,
        13,
        words="At night, a rocket stands on its launch pad. An astronaut smiles for a portrait.",
        delay_s=0.3,
    ),
    Heard(14, 14, file=f"{SAMPLES}/guit_em9.flac", level=0.9),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path)
    parser.add_argument("parts", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    folders = (given.films, given.parts)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.mp4"
        sound = Sound(SOUND_RATE_HZ, (piece for piece in np.split(mixed(folders), 100)))
        write_frames(
            plain, film_frames(folders), Fraction(FRAME_RATE), sound=sound, encoding=ENCODING
        )
        add_credits(plain, given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes, starts of shots {starts_s()}")


def starts_s() -> list[float]:
    """Return when each shot starts, and last when the film ends; a dissolve starts its shot."""
    shown = [a.length_s - (b.dissolve_s if b else 0) for a, b in zip_longest(SHOTS, SHOTS[1:])]
    return [0.0, *accumulate(shown)]


def find(folders: tuple[Path, ...], name: str) -> Path:
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise SystemExit(f"{name} is in none of {[str(folder) for folder in folders]}")


def film_frames(folders: tuple[Path, ...]) -> Iterator[ImageArray]:
    """Yield the film's frames, RGB."""
    tail: list[ImageArray] = []
    for shot, following in zip_longest(SHOTS, SHOTS[1:]):
        frames = list(shot_frames(shot, folders))
        for index, old in enumerate(tail):
            share = (index + 1) / (len(tail) + 1)
            frames[index] = cv2.addWeighted(frames[index], share, old, 1 - share, 0)
        num_kept = len(frames) - round((following.dissolve_s if following else 0) * FRAME_RATE)
        yield from frames[:num_kept]
        tail = frames[num_kept:]


def shot_frames(shot: Shot, folders: tuple[Path, ...]) -> Iterator[ImageArray]:
    num_frames, path = round(shot.length_s * FRAME_RATE), find(folders, shot.source.file)
    if isinstance(shot.source, Footage):
        yield from footage_frames(path, round(shot.source.start_s * FRAME_RATE), num_frames)
    else:
        yield from photograph_frames(shot.source, path, num_frames)


def footage_frames(path: Path, first: int, num_frames: int) -> Iterator[ImageArray]:
    with av.open(str(path)) as container:
        for ordinal, frame in enumerate(container.decode(video=0)):
            if ordinal >= first + num_frames:
                return
            if ordinal >= first:
                image = frame.to_ndarray(format="rgb24")
                width = min(image.shape[1], round(image.shape[0] * WIDTH_PX / HEIGHT_PX))
                left = (image.shape[1] - width) // 2
                cropped = image[:, left : left + width]
                how = cv2.INTER_AREA if width > WIDTH_PX else cv2.INTER_CUBIC
                yield cv2.resize(cropped, (WIDTH_PX, HEIGHT_PX), interpolation=how)


def photograph_frames(photo: Photograph, path: Path, num_frames: int) -> Iterator[ImageArray]:
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    # As large as the closest view needs, so that no frame is reduced by much.
    scale = WIDTH_PX / (min(photo.first_view[2], photo.last_view[2]) * image.shape[1])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for progress in np.linspace(0, 1, num_frames):
        first, last = np.array(photo.first_view), np.array(photo.last_view)
        left, top, width = (first + progress * (last - first)) * image.shape[1]
        step = width / WIDTH_PX
        view = np.array([[step, 0, left], [0, step, top]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (WIDTH_PX, HEIGHT_PX)
        yield cv2.warpAffine(image, view, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def mixed(folders: tuple[Path, ...]) -> FloatArray:
    """Return the film's sound, mono, a whole number of hundredths of it."""
    starts = starts_s()
    track = np.zeros(round(starts[-1] * SOUND_RATE_HZ) // 100 * 100, dtype=np.float32)
    for heard in SOUNDS:
        first = round((starts[heard.first_shot - 1] + heard.delay_s) * SOUND_RATE_HZ)
        end = min(round(starts[heard.last_shot] * SOUND_RATE_HZ), len(track))
        samples = samples_of(heard, end - first, folders) * heard.level
        ramp = np.linspace(0, 1, round(EDGE_S * SOUND_RATE_HZ), dtype=np.float32)
        samples[: len(ramp)] *= ramp
        samples[-len(ramp) :] *= ramp[::-1]
        track[first : first + len(samples)] += samples
    return np.clip(track, -1, 1)


def samples_of(heard: Heard, num_samples: int, folders: tuple[Path, ...]) -> FloatArray:
    if heard.file:
        return read_sound(find(folders, heard.file), heard.start_s, num_samples)
    if not heard.words:
        return wind(num_samples)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.wav"
        command = ["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(path), heard.words]
        subprocess.run(command, check=True)
        return read_sound(path, 0, num_samples)


def read_sound(path: Path, start_s: float, num_samples: int) -> FloatArray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE_HZ)
    with av.open(str(path)) as container:
        frames = [out for f in container.decode(audio=0) for out in resampler.resample(f)]
    frames += resampler.resample(None)
    first = round(start_s * SOUND_RATE_HZ)
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return samples[first : first + num_samples].copy()


def wind(num_samples: int) -> FloatArray:
    """Return noise of the colour and the gusts of wind, the same at every call."""
    rng = np.random.default_rng(14)
    pitch_hz = np.fft.rfftfreq(num_samples, 1 / SOUND_RATE_HZ)
    noise = np.fft.rfft(rng.normal(size=num_samples))
    low = np.fft.irfft(noise / (1 + (pitch_hz / 350) ** 2) * (pitch_hz > 60), num_samples)
    gusts = np.fft.irfft(np.fft.rfft(rng.normal(size=num_samples)) * (pitch_hz < 1.5), num_samples)
    strength = 0.6 + 0.4 * gusts / np.abs(gusts).max()
    return (low * strength / np.abs(low).max()).astype(np.float32)


def add_credits(plain: Path, out: Path) -> None:
    """Copy a film's streams into one with the credits as its copyright tag, ready to stream."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(plain)) as source, av.open(str(out), "w", options=options) as target:
        target.metadata["title"] = "Mastershot demo film"
        target.metadata["copyright"] = "\n".join(CREDITS)
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)


if __name__ == "__main__":
    main()
