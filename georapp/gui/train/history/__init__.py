"""The sub-tab History: all runs, compared, queued, gone on with."""
