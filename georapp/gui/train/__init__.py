"""The Training tab: what a run is doing. A page wires the widgets, which do not know each other."""
