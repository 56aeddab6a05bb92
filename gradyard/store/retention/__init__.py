"""What projects store, and what of it goes: sizes measured behind the jobs, rules, and deletion in slices."""
