"""Makes the packaged network of persons from NanoDet-m as published, for any size of frames.

The outputs are the published ones to within the rounding of float32; only what is computed for
nothing goes:

- Of the 80 classes only the person is scored, and as a logit: each output is a map (N, 33, H, W),
  the logit and then the distributions of the distances to the four sides of a box.
- Channels are shuffled by the order of the weights, not at run time. A block of ShuffleNet v2
  passes half of its channels on and interleaves them with the others; here the channels of each
  convolution come in the order in which later blocks read them, and each block reads slices.
- Weights are constants, no inputs of the graph: ONNX Runtime then arranges them, and the maps, for
  the vector units of the processor. The narrowest layers have channels of zero weight, up to
  multiples of 4 or 16, without which it does not.
- No size of a map is stated, so one file serves frames of every shape, and batches.

Needs `pip install onnx`, as bench/person_int8.py does and nothing else.

    python bench/person_network.py nanodet_m_416.onnx nanodet_m_person.onnx
"""

import argparse
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PUBLISHED = "4b82da9944b88577175ee23a459dce2e26e6e4be573def65b1055dc2d9720186"
UNITS = (3, 7, 3)  # blocks of each stage after its first, which halves the map
STEM, STEM_PADDED = 24, 32  # channels of the first map, and with those of zero weight
PADDED = {58: 60}  # channels of half a block, likewise
PERSON, CLASSES = 0, 80
SLOPE = 0.1  # of the rectifiers, below zero
Channel = tuple[str, int]  # a map, and a row of the weights that make it
Array = np.ndarray
Layer = tuple[onnx.NodeProto, Array, Array]  # a published convolution, weights and biases


class Network:
    """The network as it is rewritten: nodes and weights so far, and the published weights."""

    def __init__(self, published: onnx.ModelProto) -> None:
        arrays = {one.name: numpy_helper.to_array(one) for one in published.graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.convolutions = iter(
            (node, *(arrays[name] for name in node.input[1:]))
            for node in published.graph.node
            if node.op_type == "Conv"
        )

    def take(self) -> Layer:
        """Return the next published convolution, its weights (O, I, K, K) and biases (O,)."""
        node, weight, bias = next(self.convolutions)
        return node, weight.copy(), bias.copy()

    def add(self, kind: str, inputs: list[str], outputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def constant(self, name: str, values: Array) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolve(self, source: str, taken: Layer, *, rectified: bool = True) -> str:
        """Add a convolution of a map, with its rectifier, and return the map it makes."""
        node, weight, bias = taken
        name = f"c{len(self.nodes)}"
        inputs = [source, self.constant(f"{name}w", weight), self.constant(f"{name}b", bias)]
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        attributes["group"] = len(weight) if attributes["group"] > 1 else 1
        made = self.add("Conv", inputs, [name], **attributes)
        return self.add("LeakyRelu", [made], [f"{name}r"], alpha=SLOPE) if rectified else made

    def doubled(self, source: str) -> str:
        """Add a map's enlargement; for twice its size ``half_pixel`` is ``pytorch_half_pixel``."""
        inputs, modes = [source, "none", "twice"], {"coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", inputs, [f"{source}_doubled"], mode="linear", **modes)

    def halved(self, source: str) -> str:
        """Add a map of half the size; the linear interpolation is the mean of four."""
        made = [f"{source}_halved"]
        return self.add("AveragePool", [source], made, kernel_shape=[2, 2], strides=[2, 2])


def padded(values: Array, rows: int, columns: int | None = None) -> Array:
    """Return weights or biases with rows, and columns, of zeros after theirs."""
    more = [(0, rows - len(values))] + [(0, 0)] * (values.ndim - 1)
    if columns is not None:
        more[1] = (0, columns - values.shape[1])
    return np.pad(values, more)


def wide(taken: Layer, rows: int, columns: int | None = None) -> Layer:
    node, weight, bias = taken
    return node, padded(weight, rows, columns), padded(bias, rows)


class Stage:
    """A stage of blocks whose channels are shuffled by the order of weights.

    Its maps are made with rows in the order of the blocks that read them, so all that a block
    reads of a map is one slice. The number of blocks stands for what reads
    the whole stage.
    """

    def __init__(self, half: int, blocks: int) -> None:
        """Follow the channels of a stage through its blocks, half of its channels in each."""
        order: list[Channel] = interleaved("x", [("y", row) for row in range(half)])
        reader: dict[Channel, int] = {}
        self.published: list[list[Channel]] = []  # what each block reads, in its published order
        for block in range(blocks):
            self.published.append(order[half:])
            reader |= dict.fromkeys(order[half:], block)
            order = interleaved(f"b{block}", order[:half], own_last=True)
        self.published.append(order)
        reader |= dict.fromkeys(order, blocks)
        self.size = PADDED.get(half, half)
        self.rows: dict[str, list[int]] = {}  # of each map, in the order they are made in
        self.counts: dict[str, list[int]] = {}  # of each map, how many rows each block reads
        spare = list(range(blocks))  # blocks that still lack their channels of zero weight
        for name in ("x", "y", *(f"b{block}" for block in range(blocks))):
            rows: list[int] = sorted(range(half), key=lambda row: (reader[name, row], row))
            counts = [
                sum(reader[name, row] == block for row in rows) for block in range(blocks + 1)
            ]
            if spare and self.size > half:
                block = spare.pop(0)
                place = sum(counts[: block + 1])
                rows[place:place] = [-1] * (self.size - half)
                counts[block] += self.size - half
            self.rows[name], self.counts[name] = rows, counts

    def make(self, name: str, taken: Layer) -> Layer:
        """Return a convolution with its rows in the order of map ``name``; -1 is zero weight."""
        node, weight, bias = wide(taken, len(taken[1]) + 1)
        return node, weight[self.rows[name]], bias[self.rows[name]]

    def wanted(self, block: int) -> list[int]:
        """Return which published channel each is that a block reads; -1 is of zero weight."""
        places = {channel: place for place, channel in enumerate(self.published[block])}
        found = []
        for name, counts in self.counts.items():
            start = sum(counts[:block])
            rows = self.rows[name][start : start + counts[block]]
            found += [places.get((name, row), -1) for row in rows]
        return found


def interleaved(name: str, others: list[Channel], *, own_last: bool = False) -> list[Channel]:
    """Return the channels of map ``name`` and others in turn."""
    own = [(name, row) for row in range(len(others))]
    pairs = zip(others, own, strict=True) if own_last else zip(own, others, strict=True)
    return [channel for pair in pairs for channel in pair]


def add_stage(
    net: Network, source: str, order: list[int], half: int, blocks: int
) -> tuple[str, list[int]]:
    """Add a stage that reads a map with channels in ``order``; return its map and their order.

    In an order, -1 is a channel of zeros.
    """
    stage = Stage(half, blocks)

    def columns(taken: Layer, wanted: list[int]) -> Layer:
        node, weight, bias = taken
        return node, np.pad(weight, [(0, 0), (0, 1), (0, 0), (0, 0)])[:, wanted], bias

    def depthwise(taken: Layer, wanted: list[int]) -> Layer:
        node, weight, bias = wide(taken, len(taken[1]) + 1)
        return node, weight[wanted], bias[wanted]

    size = stage.size
    first = net.convolve(source, depthwise(net.take(), order), rectified=False)
    made = {"x": net.convolve(first, stage.make("x", columns(net.take(), order)))}
    second = net.convolve(source, wide(columns(net.take(), order), size))
    second = net.convolve(second, wide(net.take(), size), rectified=False)
    last = net.take()
    made["y"] = net.convolve(second, stage.make("y", wide(last, half, size)))
    slices: dict[int, list[str]] = {block: [] for block in range(blocks + 1)}

    def split(name: str) -> None:
        counts = stage.counts[name]
        readers = [block for block, count in enumerate(counts) if count]
        names = [f"{made[name]}_{block}" for block in readers]
        if len(names) > 1:
            sizes = [counts[block] for block in readers]
            net.add("Split", [made[name]], names, axis=1, split=sizes)
        else:
            names = [made[name]]
        for block, piece in zip(readers, names, strict=True):
            slices[block].append(piece)

    split("x")
    split("y")
    for block in range(blocks):
        joined = join(net, slices[block], f"{made['x']}_in{block}")
        inner = net.convolve(joined, wide(columns(net.take(), stage.wanted(block)), size))
        inner = net.convolve(inner, wide(net.take(), size), rectified=False)
        taken = stage.make(f"b{block}", wide(net.take(), half, size))
        made[f"b{block}"] = net.convolve(inner, taken)
        split(f"b{block}")
    return join(net, slices[blocks], f"{made['x']}_out"), stage.wanted(blocks)


def join(net: Network, pieces: list[str], name: str) -> str:
    return net.add("Concat", pieces, [name], axis=1) if len(pieces) > 1 else pieces[0]


def rewritten(published: onnx.ModelProto) -> onnx.ModelProto:
    """Return the network of persons alone, for images (N, 3, H, W) of sides of multiples of 32."""
    net = Network(published)
    graph = published.graph
    stem = net.convolve("image", wide(net.take(), STEM_PADDED))
    pool = next(node for node in graph.node if node.op_type == "MaxPool")
    attributes = {one.name: helper.get_attribute_value(one) for one in pool.attribute}
    source = net.add("MaxPool", [stem], ["pool"], **attributes)
    order = [*range(STEM), *[-1] * (STEM_PADDED - STEM)]
    maps = []
    for half, blocks in zip((58, 116, 232), UNITS, strict=True):
        source, order = add_stage(net, source, order, half, blocks)
        maps.append((source, order))
    sides = []
    for source, order in maps:
        node, weight, bias = net.take()
        sides.append(net.convolve(source, (node, weight[:, order], bias), rectified=False))
    low, middle, high = sides
    net.constant("none", np.empty(0, np.float32))
    net.constant("twice", np.array([1, 1, 2, 2], np.float32))
    middle = net.add("Add", [middle, net.doubled(high)], ["middle"])
    low = net.add("Add", [low, net.doubled(middle)], ["low"])
    middle = net.add("Add", [middle, net.halved(low)], ["middle_down"])
    high = net.add("Add", [high, net.halved(middle)], ["high_down"])
    outputs = []
    kept = [PERSON, *range(CLASSES, CLASSES + 32)]
    for stride, source in zip((8, 16, 32), (low, middle, high), strict=True):
        for _ in range(4):
            source = net.convolve(source, net.take())
        node, weight, bias = net.take()
        net.convolve(source, (node, weight[kept], bias[kept]), rectified=False)
        net.nodes[-1].output[0] = f"persons_{stride}"
        shape = ["N", len(kept), f"H{stride}", f"W{stride}"]
        outputs.append(
            helper.make_tensor_value_info(net.nodes[-1].output[0], TensorProto.FLOAT, shape)
        )
    assert next(net.convolutions, None) is None
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, "H", "W"])
    made = helper.make_graph(net.nodes, "nanodet-m, persons", [image], outputs, net.weights)
    opset = helper.make_opsetid("", 11)
    return helper.make_model(made, opset_imports=[opset], ir_version=6, producer_name="mastershot")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("published", type=Path)
    parser.add_argument("made", type=Path)
    options = parser.parse_args()
    data = options.published.read_bytes()
    assert sha256(data).hexdigest() == PUBLISHED, f"{options.published} is not NanoDet-m's file"
    model = rewritten(onnx.load_from_string(data))
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    options.made.write_bytes(data)
    print(f"{options.made}: {len(data):,} bytes, sha256 {sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
