"""Whether the network of persons gains from eight-bit integers: its time, and what it then finds.

ONNX Runtime's static quantisation (QDQ, unsigned activations, a scale for each channel of the
weights), calibrated on one frame in 48 of the films; time and counts of persons are of the others.
Needs `pip install onnx`, as bench/person_network.py does and nothing else.

    OMP_NUM_THREADS=1 python bench/person_int8.py FILM...
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from mastershot.core.embeddings import ImageArray
from mastershot.encoders.detectors.packaged import NANODET
from mastershot.encoders.detectors.people import FRAME_PX, MIN_PERSON_SCORE, PeopleDetector
from mastershot.media.video import open_video

STEP, CALIBRATION_STEP, MOST_FRAMES = 24, 48, 1200
QDQ_OPSET = 13  # the first with a scale for each channel


class Recorder:
    """Runs a network, and keeps what it was given and the processor time it took."""

    def __init__(self, session: InferenceSession) -> None:
        self.session, self.given, self.taken_s = session, [], []

    def run(self, names: list[str] | None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.given.append(given)
        start = time.process_time()
        maps = self.session.run(names, given)
        self.taken_s.append(time.process_time() - start)
        return maps


class Frames(CalibrationDataReader):
    """What was given to a network, once more."""

    def __init__(self, given: list[dict[str, np.ndarray]]) -> None:
        self.left = iter(given)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.left, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path, nargs="+")
    options = parser.parse_args()
    calibration, frames = frames_of(options.films)
    found = {"float32": seen_by(NANODET.read(), frames)}
    detector, recorder = detector_of(NANODET.read())
    for frame in calibration:
        detector.persons(frame, MIN_PERSON_SCORE)
    found["int8"] = seen_by(quantised(recorder.given), frames)
    for name, (counts, ms) in found.items():
        print(f"{name:8} median {ms:5.2f} ms, {sum(counts)} persons in {len(frames)} frames")
    pairs = zip(found["float32"][0], found["int8"][0], strict=True)
    same = np.mean([one == other for one, other in pairs])
    print(f"as many persons in {same:.3f} of the frames")


def frames_of(films: list[Path]) -> tuple[list[ImageArray], list[ImageArray]]:
    """Return frames to calibrate on, and others, at the detectors' size."""
    calibration, others = [], []
    for path in films:
        for frame in open_video(path).frames():
            if frame.index >= MOST_FRAMES:
                break
            if frame.index % STEP == 0:
                group = others if frame.index % CALIBRATION_STEP else calibration
                group.append(frame.rgb(longest_side_px=FRAME_PX))
    return calibration, others


def detector_of(data: bytes) -> tuple[PeopleDetector, Recorder]:
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    recorder = Recorder(InferenceSession(data, options, providers=["CPUExecutionProvider"]))
    detector = PeopleDetector()
    detector._person_network = recorder
    return detector, recorder


def seen_by(data: bytes, frames: list[ImageArray]) -> tuple[list[int], float]:
    """Return how many persons are seen in each frame, and the median time of a run in ms."""
    detector, recorder = detector_of(data)
    counts = [len(detector.persons(frame, MIN_PERSON_SCORE)) for frame in frames]
    return counts, float(np.median(recorder.taken_s)) * 1000


def quantised(given: list[dict[str, np.ndarray]]) -> bytes:
    """Return the network in eight-bit integers, calibrated on inputs."""
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "float32.onnx", Path(name) / "int8.onnx"
        model = onnx.load_from_string(NANODET.read())
        onnx.save(version_converter.convert_version(model, QDQ_OPSET), before)
        kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
        layout = {"quant_format": QuantFormat.QDQ, "per_channel": True}
        quantize_static(before, after, Frames(given), **kinds, **layout)
        return after.read_bytes()


if __name__ == "__main__":
    main()
