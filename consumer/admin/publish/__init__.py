"""Events in a file: checked as the service reads them, and published."""
