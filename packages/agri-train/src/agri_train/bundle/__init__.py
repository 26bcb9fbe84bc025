"""The model bundle of a run: spec, calibration, ONNX export."""
