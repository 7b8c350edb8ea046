"""Webhooks: changes of a user's tasks, posted to URLs that the user names.

The outbox is the change feed itself, which every write fills in its own transaction. Each webhook
has a position in it that is only moved after what lies before it is stored as deliveries: whatever
process ends whenever, another one goes on from there.
"""
