"""What the bridges that lead to Responses share: content, tools, history and the request's frame.

It writes Responses and reads the parts and tools of Chat and Messages in one table each, because
clients mix their spellings. Turns and fields of one dialect are the business of its own bridge.
"""
