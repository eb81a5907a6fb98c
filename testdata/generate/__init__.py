"""The programs behind the fixtures: one function per case, grouped by what they exercise."""
