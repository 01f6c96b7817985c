"""The eval harness: does the system answer right, and does it know when it cannot."""
