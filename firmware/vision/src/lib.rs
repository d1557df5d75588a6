//! ONNX Runtime: model packages answer questions about a frame.
