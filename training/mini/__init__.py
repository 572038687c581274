"""Makes the embedded default model from nothing but an album of licensed photos, ImageNet weights and the gazetteer.

    photo 448 x 448 ─► EfficientNet-lite0 ─► embedding ─► its nearest training photos ─► one row for each of them
                                                                                             │
    tokens of our own vocabulary ◄── Llama of 4 layers, trained from nothing ◄───────────────┘

The tower (trunk, embedding, nearest photos, projector) becomes one ONNX file; the text model becomes a GGUF. The text model
learns geography from the gazetteer, and how far to trust the rows from photos that the tower of their fold had never seen.
"""
