"""What MiniStack lacks for our templates: runs in its process and its environment, and imports nothing of ours.

``python -m rehearsal.plugin`` starts MiniStack with it. Where MiniStack has a service's API but no CloudFormation
handler, the handler here calls that API; where it has neither, the resource is only recorded, and the journal says so.
It replaces internals of MiniStack, whose version is therefore pinned.
"""
