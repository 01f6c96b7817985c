"""What the scores of an item are made of: pure functions, values in and a number out.

Where a metric does not apply it returns None, never 0.
"""
