"""What requests wait for and streams tell, each asked in one query for all of them."""
