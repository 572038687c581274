"""The sub-tab Current run: stages, charts, answers, health and log."""
