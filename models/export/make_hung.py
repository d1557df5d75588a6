"""Makes a vision graph that never ends, for tests of deadlines.

It takes what the tiny package's vision graph takes and gives the same shape, after a loop of 2^62
turns.

  python make_hung.py --out ../../firmware/vision/tests/data/hung
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--tile", type=int, default=64)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--hidden", type=int, required=True)
    args = parser.parse_args()

    scalar = lambda kind, name: helper.make_tensor_value_info(name, kind, [])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["go_on_out"]),
            helper.make_node("Sin", ["value"], ["value_out"]),
        ],
        "turn",
        [scalar(TensorProto.INT64, "turn"), scalar(TensorProto.BOOL, "go_on"), scalar(TensorProto.FLOAT, "value")],
        [scalar(TensorProto.BOOL, "go_on_out"), scalar(TensorProto.FLOAT, "value_out")],
    )
    constant = lambda name, value: numpy_helper.from_array(np.array(value), name)
    shape = [1, args.tokens, args.hidden]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMax", ["pixel_values"], ["start"], keepdims=0),
            helper.make_node("Loop", ["turns", "yes", "start"], ["end"], body=body),
            helper.make_node("Expand", ["end", "shape"], ["image_features"]),
        ],
        "hung",
        [
            helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 1, 3, args.tile, args.tile]),
            helper.make_tensor_value_info("pixel_attention_mask", TensorProto.BOOL, [1, 1, args.tile, args.tile]),
        ],
        [helper.make_tensor_value_info("image_features", TensorProto.FLOAT, shape)],
        [
            constant("turns", np.int64(2**62)),
            constant("yes", True),
            constant("shape", np.array(shape, dtype=np.int64)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    args.out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, args.out / "vision_encoder.onnx")


if __name__ == "__main__":
    main()
