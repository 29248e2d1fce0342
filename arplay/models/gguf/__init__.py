"""GGUF files: their header, tokenizer and ways to run them, dequantised or natively in llama.cpp."""
