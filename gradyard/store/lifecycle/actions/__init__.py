"""What people do to jobs beside cancel, retry and delete of one: they change one, or act on all of a question."""
