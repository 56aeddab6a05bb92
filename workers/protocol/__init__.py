"""The messages between a supervisor and its runner. Both import this package, so it loads neither torch nor SQL."""
