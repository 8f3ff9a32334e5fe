"""The HTTP/1.1 edge: connections, requests and answers as bytes. It knows no group and no dialect.

Hot handlers get a `Call`; everything else is handed to Sanic's router as an ordinary request.
"""

from runtime.edge.call import Call, ClientGone, Handler
from runtime.edge.connections import Caps, Connections
from runtime.edge.protocol import EdgeProtocol

__all__ = ["Call", "Caps", "ClientGone", "Connections", "EdgeProtocol", "Handler"]
