"""What all providers' webhooks share: the refusal of one that is not theirs. How each is read is in its own module."""


class WebhookRefusedError(Exception):
    """The message is not the provider's own, not recent, or not readable: nothing in it is believed."""
