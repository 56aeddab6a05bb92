"""The engine `fused`: all steps of a segment are one kernel on a GPU."""
