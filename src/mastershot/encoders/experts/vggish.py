"""VGGish: what a window of sound is like, by a network that AudioSet's features were made with.

The front end is AudioSet's: spectra of 25 ms every 10 ms, by magnitude, in 64 mel bands. What that
release did last, a projection to principal components in 8 bits, is left out.
"""
# W windows, F frames of 10 ms, K frequencies, M mel bands, D width of an embedding

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.encoders.checkpoint import file_digest, load_fitted

RATE_HZ = 16_000
SPECTRUM_SAMPLES, STEP_SAMPLES, _FFT = 400, 160, 512
FRAMES, BANDS, LOWEST_HZ, HIGHEST_HZ = 96, 64, 125.0, 7500.0
LOG_OFFSET = 0.01
WINDOW_SAMPLES = SPECTRUM_SAMPLES + (FRAMES - 1) * STEP_SAMPLES
"""What the network hears at once: 0.975 s, of which 96 spectra begin every 10 ms."""
HOP_SAMPLES = FRAMES * STEP_SAMPLES
"""From one window to the next: 0.96 s, so that no spectrum is left out or comes twice."""
_BATCH = 8
Numbers = npt.NDArray[np.float64]


class VGGishEncoder:
    """Maps windows of sound to VGGish's embeddings.

    Attributes:
        width: D, 128.
        weights_hash: Digest of its weights.
    """

    def __init__(self, path: Path) -> None:
        """Load the weights of a file, by the names of torchvggish.

        Raises:
            EncoderError: It is missing or damaged, or of another network.
        """
        from mastershot.models.genres.vggish import WIDTH, VGGish

        self._network = load_fitted(path, VGGish)
        self.width = WIDTH
        self.weights_hash = f"blake2b:{file_digest(path).hex()[:32]}"

    def made(self) -> dict[str, Any]:
        """Return what a data set keeps of the network."""
        return {"network": "VGGish", "weights_hash": self.weights_hash}

    def embeddings(self, windows: FloatArray | Sequence[FloatArray]) -> FloatArray:
        """Return what VGGish makes of each window, float32 (W, D).

        Args:
            windows: Mono sound at 16 kHz, full scale 1, float32 (W, `WINDOW_SAMPLES`).
        """
        import torch

        rows = np.empty((len(windows), self.width), np.float32)
        with torch.inference_mode():
            for first in range(0, len(windows), _BATCH):
                some = np.stack(list(windows[first : first + _BATCH]))
                found = self._network(torch.from_numpy(log_mel(some)))
                rows[first : first + _BATCH] = found.numpy()
        return rows


def log_mel(windows: FloatArray) -> FloatArray:
    """Return the log-mel spectra of windows (W, `WINDOW_SAMPLES`), float32 (W, F, M)."""
    frames = np.lib.stride_tricks.sliding_window_view(windows, SPECTRUM_SAMPLES, axis=1)
    frames_WFS = frames[:, ::STEP_SAMPLES].astype(np.float64)
    # Periodic, as of a window of one sample more.
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SPECTRUM_SAMPLES) / SPECTRUM_SAMPLES)
    magnitudes_WFK = np.abs(np.fft.rfft(frames_WFS * hann, _FFT, axis=2))
    spectra: FloatArray = np.log(magnitudes_WFK @ _mel_filters() + LOG_OFFSET).astype(np.float32)
    return spectra


@cache
def _mel_filters() -> Numbers:
    """Return how much of each frequency each band takes, (K, M): triangles over mels.

    A mel is 1127 ln(1 + f / 700). The constant part of the sound, frequency 0, is in no band.
    """
    frequencies_K = _mels(np.linspace(0, RATE_HZ / 2, _FFT // 2 + 1))[:, None]
    lowest, highest = _mels(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = np.linspace(lowest, highest, BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies_K - low) / (centre - low)
    falling = (high - frequencies_K) / (high - centre)
    filters = np.maximum(0, np.minimum(rising, falling))
    filters[0] = 0
    return np.asarray(filters, np.float64)


def _mels(frequencies_hz: Numbers) -> Numbers:
    return np.asarray(1127 * np.log1p(frequencies_hz / 700), np.float64)
