"""all-MiniLM-L6-v2: its ONNX graph, and the script that builds it."""
