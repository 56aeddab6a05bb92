"""What a supervisor and its runner say to each other. Both import it, so it loads the tools of neither."""
