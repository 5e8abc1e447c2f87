"""Notifications: what customers and staff hear of what happens, by conversation, signed webhook and staff's addresses.

They are written in the transaction of their cause (`notify`), and delivered after it, at least once.
"""
