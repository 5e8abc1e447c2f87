"""A conversation with a customer: understood, answered, and turned into changes that policy and people allow."""
