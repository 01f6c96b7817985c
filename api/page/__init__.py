"""What people see of the service: its page, its reference, and the files that these are made of."""
