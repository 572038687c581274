"""What the command line can do: one module a command, each with run(options) -> exit code. They know argparse's result and rich."""
