"""The sub-tab Configure: model, album, settings, pipeline; what is ready and what is not."""
