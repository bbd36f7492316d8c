"""The benchmark's ONNX graph, the script that builds it, and its runs."""
