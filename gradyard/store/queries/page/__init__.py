"""What the page shows, and for whom: sessions, and figures of the last hours that read a bounded part of an index."""
