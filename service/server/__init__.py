"""How requests come in: a worker of gunicorn in which Waitress reads whole requests, and threads answer them."""
