"""What a job is. Both processes speak this language, so it loads neither's tools: no Flask, no torch."""
