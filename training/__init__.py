"""The training half: runs with torch, without Qt and without llama.cpp."""
