"""What is typed on the command line to describe a job or a sweep, read into what is sent."""
