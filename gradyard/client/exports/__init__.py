"""What the Client takes out of a service at once: files, data frames, and jobs with their losses one by one."""
